import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { freePort } from '../support/free-port.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = temporaryFolder('apart')
const running: ChildProcess[] = []

/** The commands that localnet prints for the roles, one string each. */
function commandsIn(output: string): string[] {
  return output
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.includes('--wallet.name localnet'))
}

/** Runs a command in the temporary folder through a shell, as a reader of the printed commands would. */
function type(command: string): {
  child: ChildProcess
  /** Resolves when a role has sent `ready` over IPC. */
  ready: () => Promise<void>
  until: (pattern: RegExp) => Promise<string>
  all: () => string
} {
  const line = `exec ${command.replace(/^node \S+/, `"${process.execPath}" "${join(root, 'bin/run.js')}"`)}`
  const child = spawn('sh', ['-c', line], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  running.push(child)
  let text = ''
  const waiting = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (data: Buffer) => {
      text += data.toString()
      for (const check of waiting) check()
    })
  }
  const until = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const check = () => {
        if (pattern.test(text)) resolve(text)
      }
      waiting.add(check)
      child.once('close', (code) => reject(new Error(`exited with ${code} before ${pattern}:\n${text}`)))
      check()
    })
  const ready = () =>
    new Promise<void>((resolve, reject) => {
      child.on('message', (message) => {
        if (message === 'ready') resolve()
      })
      child.once('close', (code) => reject(new Error(`exited with ${code} before it was ready:\n${text}`)))
    })
  return { child, ready, until, all: () => text }
}

describe('roles run apart with the commands that localnet prints', () => {
  afterAll(async () => {
    for (const child of running.reverse()) {
      if (child.exitCode !== null) continue
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
  })

  it('runs chain and engine, a miner, a validator that verifies it, and a query', async () => {
    const [chain, engine, axon, status, other] = await Promise.all(Array.from({ length: 5 }, freePort))
    const parts = type(
      `node bin/run.js localnet --only chain,engine --dir ./localnet --chain.port ${chain} --engine.port ${engine}`,
    )
    const [miner = '', validator = '', query = ''] = commandsIn(await parts.until(/Press Ctrl-C/))
    await type(`${miner} --metrics.port ${status} --axon.port ${axon}`).ready()
    // a busy machine may make the first verdicts inconclusive
    const log = await type(`${validator} --metrics.port ${other} --logging.level debug`).until(
      /"verdict":"(verified|failed)"/,
    )
    expect(log).toMatch(/"verdict":"verified"/)
    const queried = type(query)
    const [code] = (await once(queried.child, 'close')) as [number]
    expect(queried.all()).toMatch(/tok(ens)?\/s/)
    expect(code).toBe(0)
  })
})
