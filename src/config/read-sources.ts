import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { decodeText, expandHome, messageOf, TargonError } from '../kernel/index.js'
import { type EnvFile, parseEnvFile } from './env-file.js'
import type { SettingSources } from './resolve.js'

/** Read from the working directory when no config file is named; there may be one of them. */
const DEFAULT_CONFIG_FILES = ['targon.config.json', 'targon.config.yaml', 'targon.config.yml']
/** No file of settings needs more; a wrong path may name a model. */
const MAX_BYTES = 256 << 10
/** Mode bits that let group or other users read. */
const OTHERS_READ = 0o044

/** Files named by the flags `--config` and `--env-file`. */
export interface SourceFiles {
  readonly config?: string | undefined
  readonly envFile?: string | undefined
}

/**
 * Reads the `.env` files (first the one in the working directory, then `--env-file`) and the config file. The variables
 * `TARGON_ENV_FILE` and `TARGON_CONFIG` name them too. Named files must exist; the default files are optional.
 *
 * @throws TargonError CONFIG_FILE_UNREADABLE, CONFIG_FILE_TOO_LARGE, CONFIG_FILE_ENCODING, CONFIG_FILES_AMBIGUOUS
 */
export function readSources(
  flags: SettingSources['flags'],
  files: SourceFiles,
  env: SettingSources['env'] = process.env,
  directory: string = process.cwd(),
): SettingSources {
  const dotenvFiles = existing('.env', join(directory, '.env'))
  const named = files.envFile ?? env.TARGON_ENV_FILE
  if (named) dotenvFiles.push(given(named, files.envFile ? '--env-file' : 'TARGON_ENV_FILE', directory))
  const config = files.config ?? env.TARGON_CONFIG ?? fromEnvFiles(dotenvFiles)
  const configFile = config
    ? given(config, files.config ? '--config' : 'TARGON_CONFIG', directory)
    : defaultConfigFile(directory)
  return { flags, env, dotenvFiles, configFile }
}

/** Absolute paths of the files that were read, and of the default files even if they do not exist yet. */
export function sourceFiles(sources: SettingSources, directory: string = process.cwd()): string[] {
  const names = ['.env', ...(sources.dotenvFiles ?? []).map(({ path }) => path)]
  names.push(...(sources.configFile ? [sources.configFile.path] : DEFAULT_CONFIG_FILES))
  return [...new Set(names.map((name) => resolve(directory, expandHome(name))))]
}

/** @throws TargonError CONFIG_FILES_AMBIGUOUS when there are two: the settings of one would silently not count. */
function defaultConfigFile(directory: string): EnvFile | undefined {
  const [found, second] = DEFAULT_CONFIG_FILES.filter((name) => existsSync(join(directory, name)))
  if (second !== undefined)
    throw new TargonError(`Both ${found} and ${second} are in the working directory.`, {
      code: 'CONFIG_FILES_AMBIGUOUS',
      fault: 'usage',
      next: 'Keep one of them, or name the one to read with --config.',
    })
  return found === undefined ? undefined : existing(found, join(directory, found))[0]
}

function fromEnvFiles(files: readonly EnvFile[]): string | undefined {
  return files.map((file) => parseEnvFile(file).values.get('TARGON_CONFIG')).find(Boolean)
}

function existing(name: string, path: string): EnvFile[] {
  return existsSync(path) ? [{ path: name, ...read(path, name) }] : []
}

function given(path: string, source: string, directory: string): EnvFile {
  return { path, ...read(resolve(directory, expandHome(path)), `the file of ${source}`) }
}

function read(path: string, source: string): Pick<EnvFile, 'text' | 'isExposed'> {
  let bytes: Uint8Array
  let isExposed: boolean
  try {
    const { size, mode } = statSync(path)
    if (size > MAX_BYTES) throw tooLarge(source)
    bytes = readFileSync(path)
    isExposed = (mode & OTHERS_READ) !== 0
  } catch (cause) {
    if (cause instanceof TargonError) throw cause
    throw new TargonError(
      `Cannot read ${source}: ${messageOf(cause)}.`,
      { code: 'CONFIG_FILE_UNREADABLE', fault: 'usage', next: 'Check the path and the file permissions.' },
      { cause },
    )
  }
  const text = decodeText(bytes)
  if (text !== undefined) return { text, isExposed }
  throw new TargonError(`Cannot read ${source}: it contains NUL bytes, so it is not a text in UTF-8.`, {
    code: 'CONFIG_FILE_ENCODING',
    fault: 'usage',
    next: 'Save the file as UTF-8.',
  })
}

function tooLarge(source: string): TargonError {
  return new TargonError(`Cannot read ${source}: it is larger than ${MAX_BYTES >> 10} KiB.`, {
    code: 'CONFIG_FILE_TOO_LARGE',
    fault: 'usage',
    next: 'Check the path; settings need a few kilobytes.',
  })
}
