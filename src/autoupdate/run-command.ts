import { execFile } from 'node:child_process'
import { TargonError } from '../errors.js'

export interface CommandOptions {
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
        reject(commandError(program, args, options.timeoutMs, error, stderr))
      },
    )
  })
}

function commandError(
  program: string,
  args: readonly string[],
  timeoutMs: number,
  error: Error & { killed?: boolean },
  stderr: string,
): TargonError {
  const said = stderr.trim().split('\n').slice(-3).join(' ')
  const why = error.killed ? `took longer than ${timeoutMs} ms` : said || error.message
  return new TargonError(
    `${program} ${args.find((arg) => !arg.startsWith('-')) ?? ''} failed: ${why}`,
    { code: 'UPDATE_COMMAND_FAILED', fault: 'update', facts: { program, args } },
    { cause: error },
  )
}
