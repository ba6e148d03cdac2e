import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { type Clock, messageOf, TargonError } from '../../kernel/index.js'

/** How to run this command line again: the interpreter with its options and the path of bin/run.js. */
export interface SelfCommand {
  readonly command: string
  readonly args: readonly string[]
}

export interface ChildOptions {
  readonly name: string
  readonly args: readonly string[]
  /** Working directory: the localnet's folder, so that the child does not read the caller's `.env`. */
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly onStdout?: (line: string) => void
  /** What the child sends over its IPC channel. */
  readonly onMessage?: (message: unknown) => void
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** Last lines of output kept to explain a child's death. */
const KEPT_LINES = 8

/** A child process of the localnet. We hold its standard input open, so the child sees it close however we die. */
export class Child {
  readonly name: string
  readonly exited: Promise<Exit>
  readonly #process: ChildProcess
  #lastLines: string[] = []
  #stopping = false

  constructor(self: SelfCommand, options: ChildOptions) {
    this.name = options.name
    this.#process = spawn(self.command, [...self.args, ...options.args, '--exit-with-stdin'], {
      cwd: options.cwd,
      env: { ...options.env },
      stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
    })
    this.exited = new Promise((resolve) => {
      this.#process.once('error', (error) => {
        this.#lastLines.push(messageOf(error))
        resolve({ code: null, signal: null })
      })
      this.#process.once('close', (code, signal) => resolve({ code, signal }))
    })
    // writing to a dead child fails; its exit is reported instead
    this.#process.stdin?.on('error', () => {})
    this.#process.on('message', (message) => options.onMessage?.(message))
    this.#readLines('stdout', options.onStdout)
    this.#readLines('stderr')
  }

  get stopping(): boolean {
    return this.#stopping
  }

  /** The error for a child that should still be running. */
  deathError(exit: Exit): TargonError {
    const how = exit.signal ? `was killed by ${exit.signal}` : `exited with status ${exit.code}`
    const last =
      this.#lastLines.length > 0 ? `\n${this.#lastLines.map((line) => `  ${line}`).join('\n')}` : ''
    return new TargonError(`The localnet process ${this.name} ${how}.${last}`, {
      code: 'LOCALNET_PROCESS_DIED',
      fault: 'runtime',
      next: 'Read its last lines above for the cause, fix it and start the localnet again.',
      facts: { name: this.name, ...exit },
    })
  }

  /** Sends SIGTERM, then SIGKILL after `graceMs`. Resolves when the process has exited. */
  async stop(clock: Clock, graceMs: number): Promise<void> {
    this.#stopping = true
    const grace = new AbortController()
    const exited = this.exited.finally(() => grace.abort())
    this.#process.kill('SIGTERM')
    await Promise.race([exited, clock.sleep(graceMs, grace.signal).catch(() => {})])
    this.#process.kill('SIGKILL')
    await exited
  }

  #readLines(from: 'stdout' | 'stderr', deliver?: (line: string) => void): void {
    const stream = this.#process[from]
    if (!stream) return
    createInterface({ input: stream }).on('line', (line) => {
      this.#lastLines = [...this.#lastLines, line].slice(-KEPT_LINES)
      deliver?.(line)
    })
  }
}
