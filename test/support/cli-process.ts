import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('../../bin/run.js', import.meta.url))

/** The built command line as a process of its own, in an empty folder and with no variables of ours. */
export interface CliProcess {
  readonly child: ChildProcess
  readonly stdout: () => string
  readonly stderr: () => string
  /** Resolves when this text has been written to either stream; rejects when the process ends before. */
  said(text: string): Promise<void>
  /** Exit status, or the signal's name. */
  readonly ended: Promise<number | string>
  stop(signal?: NodeJS.Signals): Promise<number | string>
}

export function startCli(argv: readonly string[], env: Record<string, string> = {}): CliProcess {
  const child = spawn(process.execPath, [script, ...argv], {
    cwd: mkdtempSync(join(tmpdir(), 'targon-cli-')),
    env: { PATH: process.env.PATH ?? '', HOME: tmpdir(), ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  const listeners = new Set<() => void>()
  child.stdout.on('data', (chunk) => {
    stdout += chunk
    for (const listener of listeners) listener()
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
    for (const listener of listeners) listener()
  })
  const ended = new Promise<number | string>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'lost'))
  })
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    said: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (stdout.includes(text) || stderr.includes(text)) resolve()
        }
        listeners.add(look)
        look()
        void ended.then((status) =>
          reject(new Error(`ended with ${status} before saying ${text}:\n${stderr}`)),
        )
      }),
    stop: (signal = 'SIGTERM') => {
      child.kill(signal)
      return ended
    },
  }
}

/** Runs to the end; standard input is closed at once. */
export async function runCli(argv: readonly string[], env: Record<string, string> = {}) {
  const cli = startCli(argv, env)
  cli.child.stdin?.end()
  const status = await cli.ended
  return { status, stdout: cli.stdout(), stderr: cli.stderr() }
}
