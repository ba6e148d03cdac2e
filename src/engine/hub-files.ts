import { randomUUID } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { HTTPError } from 'got'
import { download, exceedsJsonBounds, messageOf, readIfExists } from '../kernel/index.js'
import { hubError } from './engine-error.js'

export interface HubSource {
  /** e.g. https://huggingface.co */
  readonly hubUrl: string
  readonly hubToken?: string | undefined
  /** `<modelDir>/<model>/<file>` is read instead of the hub. */
  readonly modelDir?: string | undefined
  /** Folder for copies of files of the hub; absent: none are kept. */
  readonly cacheDir?: string | undefined
}

const FILE_LIMIT_BYTES = 4 * 1024 * 1024
const TOKEN_NEXT =
  'Set TARGON_ENGINE_HUB_TOKEN to a token whose account may read this model, or provide the files with --engine.model-dir.'
const FILE_JSON = { depth: 64, values: 200_000 }
const TIMEOUT_MS = 15_000

/**
 * Reads a JSON file of a model's repository from the model folder if there is one, otherwise from the disk cache or the hub.
 *
 * @returns undefined when the repository has no such file
 * @throws TargonError ENGINE_UNAVAILABLE (upstream) when the hub does not respond or the file is not JSON; the file system's
 *   error for a file of the model folder
 */
export async function readHubFile(
  source: HubSource,
  model: string,
  file: string,
  signal: AbortSignal,
): Promise<unknown> {
  if (source.modelDir !== undefined) return await readJson(join(source.modelDir, model, file))
  const cached =
    source.cacheDir === undefined ? undefined : join(source.cacheDir, 'hub', encodeURIComponent(model), file)
  const known = cached === undefined ? undefined : await readJson(cached).catch(() => undefined)
  if (known !== undefined) return known
  const text = await fetchText(source, `${model}/resolve/main/${file}`, signal)
  if (text === undefined) return undefined
  if (cached !== undefined) await writeCache(cached, text)
  return parse(text, `${file} of ${model}`)
}

/** The hub's API record of a model. Not cached, because repositories change. */
export async function readHubApi(source: HubSource, model: string, signal: AbortSignal): Promise<unknown> {
  const text = await fetchText(source, `api/models/${model}`, signal)
  return text === undefined ? undefined : parse(text, `the hub's record of ${model}`)
}

/** @returns undefined when the file does not exist (404) */
async function fetchText(
  { hubUrl, hubToken }: HubSource,
  path: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const url = `${hubUrl.replace(/\/+$/, '')}/${path}`
  const headers = hubToken === undefined ? {} : { authorization: `Bearer ${hubToken}` }
  const bounds = { limitBytes: FILE_LIMIT_BYTES, timeoutMs: TIMEOUT_MS, signal, followRedirect: true }
  try {
    return (await download(url, { ...bounds, headers })).toString('utf8')
  } catch (error) {
    signal.throwIfAborted()
    const status = error instanceof HTTPError ? error.response.statusCode : undefined
    if (status === 404) return undefined
    // No `cause`: got's errors hold the whole connection.
    const message = `${url} could not be read: ${messageOf(error)}.`
    throw status === 401 || status === 403 ? hubError(message, {}, TOKEN_NEXT) : hubError(message)
  }
}

/** Errors are ignored: without the cache, the file is downloaded again. */
async function writeCache(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    // A unique name, because several processes of this user may share the cache.
    const temporary = `${path}.${randomUUID()}.tmp`
    await writeFile(temporary, text, { mode: 0o600 })
    await rename(temporary, path)
  } catch {
    return
  }
}

async function readJson(path: string): Promise<unknown> {
  const text = await readIfExists(path)
  return text === undefined ? undefined : parse(text, path)
}

/** A repository belongs to the publisher of the model. */
function parse(text: string, name: string): unknown {
  if (exceedsJsonBounds(text, FILE_JSON))
    throw hubError(`${name} is nested too deeply or has too many values.`)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw hubError(`${name} is not JSON.`, { cause: error })
  }
}
