import { type ChildProcess, spawn } from 'node:child_process'
import { kill } from 'node:process'
import { hasCode, TargonError } from '../kernel/index.js'

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
 * Runs a program without a shell, in a process group of its own: when it ends before its time, so do the programs it
 * started (git fetches by a helper, npm by workers).
 *
 * @throws TargonError UPDATE_COMMAND_FAILED with the end of its standard error; the reason of the signal when it aborts.
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
  const place = cwd === undefined ? {} : { cwd }
  const child = spawn(program, [...args], {
    ...place,
    env: { ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const outputs = { stdout: collect(child.stdout, overflow), stderr: collect(child.stderr, overflow) }
  const endGroup = () => {
    killGroup(child)
    // a program in a session of its own (a shared ssh connection) may outlive the group and hold these open
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
    if (status !== 0) throw commandError(options, lastWords(output.stderr) || `it ended with ${status}`)
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
    // it has ended by itself
  }
}

function lastWords(stderr: string): string | undefined {
  const lines = stderr.trim().split('\n')
  return lines.find((line) => /^(fatal\b|error\b|npm error (?!code )\S)/i.test(line)) ?? lines.at(-1)
}

function commandError({ label }: CommandOptions, why: string, cause?: Error): TargonError {
  return new TargonError(
    `${label} failed: ${why.replace(/[.\s]+$/, '')}.`,
    {
      code: 'UPDATE_COMMAND_FAILED',
      fault: 'update',
      next: 'Check the source (--update.url), the network, and that git, ssh-keygen and npm are installed; the installed version keeps running.',
    },
    cause ? { cause } : {},
  )
}
