import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import got, { HTTPError } from 'got'
import { hasCode, messageOf } from '../errors.js'
import { engineError } from './engine-error.js'
import { withOwnSignal } from './own-signal.js'

export interface HubSource {
  /** e.g. https://huggingface.co */
  readonly hubUrl: string
  readonly hubToken?: string
  /** `<modelDir>/<model>/<file>` is read instead of the hub. */
  readonly modelDir?: string
  readonly cacheDir: string
}

const FILE_LIMIT_BYTES = 4 * 1024 * 1024
const TIMEOUT_MS = 15_000

/**
 * A JSON file of a model's repository: from the model folder, else from the disk cache, else from the hub.
 *
 * @returns undefined when the repository has no such file
 * @throws TargonError ENGINE_UNAVAILABLE when it can be read nowhere
 */
export async function readHubFile(
  source: HubSource,
  model: string,
  file: string,
  signal: AbortSignal,
): Promise<unknown> {
  if (source.modelDir !== undefined) return await readJson(join(source.modelDir, model, file))
  const cached = join(source.cacheDir, 'hub', encodeURIComponent(model), file)
  const known = await readJson(cached).catch(() => undefined)
  if (known !== undefined) return known
  const text = await download(source, `${model}/resolve/main/${file}`, signal)
  if (text === undefined) return undefined
  await keep(cached, text)
  return parse(text, file)
}

/** What the hub's API says about a model; not cached, since repositories grow. */
export async function readHubApi(source: HubSource, model: string, signal: AbortSignal): Promise<unknown> {
  const text = await download(source, `api/models/${model}`, signal)
  return text === undefined ? undefined : parse(text, `the hub's record of ${model}`)
}

async function download(source: HubSource, path: string, signal: AbortSignal) {
  const url = `${source.hubUrl.replace(/\/+$/, '')}/${path}`
  try {
    return await withOwnSignal(signal, (own) => readLimited(url, source.hubToken, own))
  } catch (error) {
    if (error instanceof HTTPError && error.response.statusCode === 404) return undefined
    signal.throwIfAborted()
    // No `cause`: got's errors carry the whole connection.
    throw engineError('ENGINE_UNAVAILABLE', `${url} cannot be read: ${messageOf(error)}`)
  }
}

async function readLimited(url: string, token: string | undefined, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  const stream = got.stream(url, {
    signal,
    timeout: { request: TIMEOUT_MS },
    retry: { limit: 0 },
    ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
  })
  for await (const chunk of stream) {
    bytes += chunk.length
    if (bytes > FILE_LIMIT_BYTES) throw new Error(`the file is larger than ${FILE_LIMIT_BYTES} bytes`)
    chunks.push(Buffer.from(chunk))
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** The cache is a convenience: a disk that is full or read-only costs a download, nothing more. */
async function keep(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const temporary = `${path}.${randomUUID()}.tmp`
    await writeFile(temporary, text, { mode: 0o600 })
    await rename(temporary, path)
  } catch {
    return
  }
}

async function readJson(path: string): Promise<unknown> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
  return parse(text, path)
}

function parse(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw engineError('ENGINE_UNAVAILABLE', `${name} of the model is not JSON.`, {}, { cause: error })
  }
}
