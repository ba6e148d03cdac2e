import { type ChildProcess, spawn } from 'node:child_process'
import { kill } from 'node:process'
import { hasCode, TargonError } from '../kernel/index.js'

export interface CommandOptions {
  /** Name of the command in error messages, e.g. `git fetch`. */
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
 * Runs a program without a shell, in a process group of its own so that aborting it also kills the programs it started
 * (git fetches through a helper, npm through workers).
 *
 * @throws TargonError UPDATE_COMMAND_FAILED with the relevant line of its standard error; the signal's reason on abort.
 */
export async function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandOutput> {
  const { cwd, env, signal, timeoutMs } = options
  signal.throwIfAborted()
  const expiry = AbortSignal.timeout(timeoutMs)
  const overflow = new AbortController()
  const end = AbortSignal.any([signal, expiry, overflow.signal])
  const child = spawn(program, [...args], {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const outputs = { stdout: collect(child.stdout, overflow), stderr: collect(child.stderr, overflow) }
  const endGroup = () => {
    killGroup(child)
    // a descendant in its own session (a shared ssh connection) can survive the kill and keep these pipes open
    child.stdout.destroy()
    child.stderr.destroy()
  }
  end.addEventListener('abort', endGroup, { once: true })
  try {
    const status = await new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, killedBy) => resolve(code ?? killedBy))
    })
    const output = { stdout: outputs.stdout(), stderr: outputs.stderr() }
    signal.throwIfAborted()
    if (overflow.signal.aborted) throw commandError(options, `it wrote more than ${MAX_OUTPUT_BYTES} bytes`)
    if (expiry.aborted) throw commandError(options, `it took longer than ${timeoutMs} ms`)
    if (status !== 0) throw commandError(options, errorLine(output.stderr) || `exit status ${status}`)
    return output
  } catch (error) {
    if (hasCode(error, 'ENOENT')) throw commandError(options, `${program} is not installed`, error)
    throw error
  } finally {
    end.removeEventListener('abort', endGroup)
  }
}

function collect(stream: NodeJS.ReadableStream, overflow: AbortController): () => string {
  const chunks: Buffer[] = []
  let bytes = 0
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > MAX_OUTPUT_BYTES) overflow.abort()
    else chunks.push(chunk)
  })
  return () => Buffer.concat(chunks).toString('utf8')
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    kill(-pid, 'SIGKILL')
  } catch {
    // it has already exited
  }
}

/** The line that states the error, else the last one. */
function errorLine(stderr: string): string | undefined {
  const lines = stderr.trim().split('\n')
  return lines.find((line) => /^(fatal\b|error\b|npm error (?!code )\S)/i.test(line)) ?? lines.at(-1)
}

function commandError({ label }: CommandOptions, reason: string, cause?: Error): TargonError {
  return new TargonError(
    `${label} failed: ${reason.replace(/[.\s]+$/, '')}.`,
    {
      code: 'UPDATE_COMMAND_FAILED',
      fault: 'update',
      next: 'The installed version keeps running. Check --update.url, the network, and that git, ssh-keygen and npm are installed.',
    },
    cause ? { cause } : {},
  )
}
