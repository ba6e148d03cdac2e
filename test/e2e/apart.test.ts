import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../support/free-port.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'targon-apart-'))
const running: ChildProcess[] = []

/** The README's commands in the block after a mark, one string each. */
function commandsOf(mark: string): string[] {
  const text = readFileSync(join(root, 'README.md'), 'utf8')
  const block = new RegExp(`<!-- ${mark} -->\\n\`\`\`sh\\n([\\s\\S]*?)\`\`\``).exec(text)?.[1] ?? ''
  return block
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
}

/** Runs a command of the README in the temporary folder through a shell, as its reader would. */
function type(command: string): {
  child: ChildProcess
  /** Resolves when a role has sent `ready` over IPC. */
  ready: () => Promise<void>
  until: (pattern: RegExp) => Promise<string>
  all: () => string
} {
  const line = `exec ${command.replace('node bin/run.js', `"${process.execPath}" "${join(root, 'bin/run.js')}"`)}`
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

describe('running the roles in separate terminals, by the README', () => {
  let commands: string[]

  beforeAll(async () => {
    const [chain, engine, axon, status, other] = await Promise.all(Array.from({ length: 5 }, freePort))
    commands = commandsOf('apart').map((command) =>
      command.replaceAll('9944', String(chain)).replaceAll('127.0.0.1:8000', `127.0.0.1:${engine}`),
    )
    commands[0] += ` --chain.port ${chain} --engine.port ${engine}`
    commands[1] = `${commands[1]} --metrics.port ${status} --axon.port ${axon}`
    commands[2] += ` --metrics.port ${other}`
    for (const [index, command] of commands.entries()) {
      if (index > 0)
        commands[index] = `${command} --logging.logging_dir ./neurons`.replace(
          /(query .*) --logging\.logging_dir .*/,
          '$1',
        )
    }
  })

  afterAll(async () => {
    for (const child of running.reverse()) {
      if (child.exitCode !== null) continue
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
  })

  it('starts chain and engine, a miner and a validator that verifies it, and answers a query', async () => {
    const [parts = '', miner = '', validator = '', query = ''] = commands
    expect(commands).toHaveLength(4)
    await type(parts).until(/"kind":"engine"/)
    await type(miner).ready()
    // on a busy machine the first verdicts may be inconclusive
    const log = await type(validator).until(/"verdict":"(verified|failed)"/)
    expect(log).toMatch(/"verdict":"verified"/)
    const queried = type(query)
    const [code] = (await once(queried.child, 'close')) as [number]
    expect(queried.all()).toMatch(/tok(ens)?\/s/)
    expect(code).toBe(0)
  })
})
