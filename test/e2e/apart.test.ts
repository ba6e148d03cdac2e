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

/** The commands of the README between two marks, one string each. */
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
  until: (pattern: RegExp) => Promise<string>
  all: () => string
} {
  const line = `exec ${command.replace('node bin/run.js', `"${process.execPath}" "${join(root, 'bin/run.js')}"`)}`
  const child = spawn('sh', ['-c', line], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  running.push(child)
  let text = ''
  const waiting = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => {
      text += data.toString()
      for (const look of waiting) look()
    })
  }
  const until = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        if (pattern.test(text)) resolve(text)
      }
      waiting.add(look)
      child.once('close', (code) => reject(new Error(`ended with ${code} before ${pattern}:\n${text}`)))
      look()
    })
  return { child, until, all: () => text }
}

describe('the roles apart, by the commands of the README', () => {
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

  it('brings up chain and engine, a miner, a validator that verifies it, and answers a query', async () => {
    const [parts = '', miner = '', validator = '', query = ''] = commands
    expect(commands).toHaveLength(4)
    await type(parts).until(/"kind":"engine"/)
    await type(miner).until(/miner listening/)
    // a busy machine may make the first ones void
    const judged = await type(validator).until(/"verdict":"(verified|failed)"/)
    expect(judged).toMatch(/"verdict":"verified"/)
    const asked = type(query)
    const [code] = (await once(asked.child, 'close')) as [number]
    expect(asked.all()).toMatch(/tok(ens)?\/s/)
    expect(code).toBe(0)
  })
})
