import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { type Clock, TargonError } from '../kernel/index.js'

/** How to run our own command line: the interpreter with its options, and the path of bin/run.js. */
export interface SelfCommand {
  readonly command: string
  readonly args: readonly string[]
}

export interface ChildOptions {
  readonly name: string
  readonly args: readonly string[]
  /** Working directory: the localnet's folder, so that no `.env` of the caller is read. */
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly onStdout?: (line: string) => void
  readonly onStderr?: (line: string) => void
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** Lines of a child kept to explain its death. */
const KEPT_LINES = 8

/** A process of the localnet. Its standard input stays open: when we die by any means, the child sees it close. */
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
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.exited = new Promise((resolve) => {
      this.#process.once('error', (error) => {
        this.#lastLines.push(error.message)
        resolve({ code: null, signal: null })
      })
      this.#process.once('close', (code, signal) => resolve({ code, signal }))
    })
    // a child that died takes no more input; its exit is what gets reported
    this.#process.stdin?.on('error', () => {})
    this.#readLines('stdout', options.onStdout)
    this.#readLines('stderr', options.onStderr)
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  get stopping(): boolean {
    return this.#stopping
  }

  /** Why a child that should be running is not. */
  deathError(exit: Exit): TargonError {
    const how = exit.signal ? `was killed by ${exit.signal}` : `exited with status ${exit.code}`
    const last =
      this.#lastLines.length > 0 ? `\n${this.#lastLines.map((line) => `  ${line}`).join('\n')}` : ''
    return new TargonError(`The localnet’s process ${this.name} ${how}.${last}`, {
      code: 'LOCALNET_PROCESS_DIED',
      fault: 'runtime',
      next: 'Its last lines above say why; nothing was restarted.',
      facts: { name: this.name, ...exit },
    })
  }

  /** SIGTERM, then SIGKILL after `graceMs`. Resolves when the process is gone. */
  async stop(clock: Clock, graceMs: number): Promise<void> {
    this.#stopping = true
    const gone = new AbortController()
    const exited = this.exited.finally(() => gone.abort())
    this.#process.kill('SIGTERM')
    await Promise.race([exited, clock.sleep(graceMs, gone.signal).catch(() => {})])
    this.#process.kill('SIGKILL')
    await exited
  }

  #readLines(from: 'stdout' | 'stderr', deliver: ((line: string) => void) | undefined): void {
    const stream = this.#process[from]
    if (!stream) return
    createInterface({ input: stream }).on('line', (line) => {
      this.#lastLines = [...this.#lastLines, line].slice(-KEPT_LINES)
      deliver?.(line)
    })
  }
}
