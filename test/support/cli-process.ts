import { type ChildProcess, spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from './temporary-folder.js'

const script = fileURLToPath(new URL('../../bin/run.js', import.meta.url))

/** The built command line in a separate process, with an empty working directory and none of the caller's variables. */
export interface CliProcess {
  readonly child: ChildProcess
  readonly stdout: () => string
  readonly stderr: () => string
  /** Resolves when this text has appeared on stdout or stderr; rejects when the process ends first. */
  said(text: string): Promise<void>
  /** Resolves when a role has sent `ready` over IPC; rejects when the process ends first. */
  ready(): Promise<void>
  /** Exit status or signal name. */
  readonly ended: Promise<number | string>
  stop(signal?: NodeJS.Signals): Promise<number | string>
}

export function startCli(argv: readonly string[], env: Record<string, string> = {}): CliProcess {
  const child = spawn(process.execPath, [script, ...argv], {
    cwd: temporaryFolder('cli'),
    env: { PATH: process.env.PATH ?? '', HOME: tmpdir(), ...env },
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
  })
  let stdout = ''
  let stderr = ''
  let isReady = false
  const listeners = new Set<() => void>()
  const notify = () => {
    for (const listener of listeners) listener()
  }
  child.stdout?.on('data', (chunk) => {
    stdout += chunk
    notify()
  })
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
    notify()
  })
  child.on('message', (message) => {
    isReady ||= message === 'ready'
    notify()
  })
  const ended = new Promise<number | string>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'lost'))
  })
  const until = (what: string, holds: () => boolean) =>
    new Promise<void>((resolve, reject) => {
      const check = () => {
        if (holds()) resolve()
      }
      listeners.add(check)
      check()
      void ended.then((status) => reject(new Error(`exited with ${status} before ${what}:\n${stderr}`)))
    })
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    said: (text) => until(`printing ${text}`, () => stdout.includes(text) || stderr.includes(text)),
    ready: () => until('it was ready', () => isReady),
    stop: (signal = 'SIGTERM') => {
      child.kill(signal)
      return ended
    },
  }
}

/** Runs a command to its end, with standard input closed. */
export async function runCli(argv: readonly string[], env: Record<string, string> = {}) {
  const cli = startCli(argv, env)
  cli.child.stdin?.end()
  const status = await cli.ended
  return { status, stdout: cli.stdout(), stderr: cli.stderr() }
}
