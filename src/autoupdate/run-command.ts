import { execFile } from 'node:child_process'
import { TargonError } from '../errors.js'

export interface CommandOptions {
  /** What the command is called in an error: `git fetch`. */
  readonly label: string
  readonly cwd?: string
  readonly env: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

const MAX_OUTPUT_BYTES = 16 << 20

export interface CommandOutput {
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs a program without a shell.
 *
 * @throws TargonError UPDATE_COMMAND_FAILED with the end of its standard error.
 */
export async function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandOutput> {
  return await new Promise((resolve, reject) => {
    execFile(
      program,
      [...args],
      {
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
        env: { ...options.env },
        timeout: options.timeoutMs,
        killSignal: 'SIGKILL',
        maxBuffer: MAX_OUTPUT_BYTES,
        signal: options.signal,
        encoding: 'utf8',
      },
      (error, stdout, stderr) => {
        if (!error) return resolve({ stdout, stderr })
        if (options.signal.aborted) return reject(options.signal.reason)
        reject(commandError(options, error, stderr))
      },
    )
  })
}

function commandError(
  { label, timeoutMs }: CommandOptions,
  error: Error & { killed?: boolean },
  stderr: string,
): TargonError {
  const lines = stderr.trim().split('\n')
  const said = lines.find((line) => /^(fatal\b|error\b|npm error (?!code )\S)/i.test(line)) ?? lines.at(-1)
  const why = error.killed ? `it took longer than ${timeoutMs} ms` : said || error.message
  return new TargonError(
    `${label} failed: ${why.replace(/[.\s]+$/, '')}.`,
    {
      code: 'UPDATE_COMMAND_FAILED',
      fault: 'update',
      next: 'Check the source (--update.url) and the network; the installed version keeps running.',
    },
    { cause: error },
  )
}
