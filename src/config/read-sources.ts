import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { decodeText, expandHome, messageOf, TargonError } from '../kernel/index.js'
import { type EnvFile, parseEnvFile } from './env-file.js'
import type { SettingSources } from './resolve.js'

const DEFAULT_CONFIG_FILE = 'targon.config.json'
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
 * @throws TargonError CONFIG_FILE_UNREADABLE, CONFIG_FILE_ENCODING
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
    : existing(DEFAULT_CONFIG_FILE, join(directory, DEFAULT_CONFIG_FILE))[0]
  return { flags, env, dotenvFiles, configFile }
}

/** Absolute paths of the files that were read, and of the default files even if they do not exist yet. */
export function sourceFiles(sources: SettingSources, directory: string = process.cwd()): string[] {
  const names = ['.env', ...(sources.dotenvFiles ?? []).map(({ path }) => path)]
  names.push(sources.configFile?.path ?? DEFAULT_CONFIG_FILE)
  return [...new Set(names.map((name) => resolve(directory, expandHome(name))))]
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
    bytes = readFileSync(path)
    isExposed = (statSync(path).mode & OTHERS_READ) !== 0
  } catch (cause) {
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
