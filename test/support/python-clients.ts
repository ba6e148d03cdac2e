import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeEach } from 'vitest'

const run = promisify(execFile)
const scripts = join(import.meta.dirname, '..', 'services', 'python')

/** Made by .ci/install-python-clients.sh: a virtual environment per version of bittensor, and one for `openai`. */
const clients = process.env.TARGON_TEST_PYTHON_CLIENTS

/** Skips the tests of a suite, with the reason, when the version is not installed. */
export function needsPythonClient(version: string): void {
  const reason = missingReason(version)
  beforeEach(({ skip }) => {
    if (reason !== undefined) skip(reason)
  })
}

function missingReason(version: string): string | undefined {
  if (!clients) return 'TARGON_TEST_PYTHON_CLIENTS is not set'
  if (existsSync(join(clients, version, 'complete'))) return undefined
  const problem = join(clients, `${version}.problem`)
  const text = existsSync(problem) ? readFileSync(problem, 'utf8').trim() : 'it was not installed'
  return `the Python client ${version} is missing: ${text}`
}

export interface PythonRun {
  readonly version: string
  readonly script: string
  readonly arguments: readonly string[]
  /** The home folder, so that a client neither reads nor writes the user's. */
  readonly home: string
  readonly timeoutMs: number
}

/** What the script printed after `RESULT `. Only the variables given here reach it, none of the SDK. */
export async function runPython(options: PythonRun): Promise<unknown> {
  const python = join(clients ?? '', options.version, 'bin', 'python')
  const environment = { PATH: process.env.PATH ?? '', HOME: options.home, COLUMNS: '200', NO_COLOR: '1' }
  const { stdout } = await run(python, [join(scripts, options.script), ...options.arguments], {
    env: environment,
    timeout: options.timeoutMs,
  })
  return JSON.parse(/^RESULT (.*)$/m.exec(stdout)?.[1] ?? 'null')
}
