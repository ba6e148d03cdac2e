import { spawn } from 'node:child_process'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { startCli } from '../support/cli-process.js'
import { type DevelopmentParts, startDevelopmentParts } from '../support/development-parts.js'
import { freePort } from '../support/free-port.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const program = fileURLToPath(new URL('../../bin/run.js', import.meta.url))

const document = z.object({
  role: z.string().nullable(),
  healthy: z.boolean(),
  findings: z.array(z.object({ check: z.string(), state: z.string(), saw: z.string() })),
})

let parts: DevelopmentParts

beforeAll(async () => {
  parts = await startDevelopmentParts()
}, 60_000)

afterAll(() => parts.stop())

interface Ended {
  readonly status: number | null
  readonly text: string
}

/** Runs the command line in a folder, at a terminal of its own when `keys` are given. */
function runIn(
  folder: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  keys?: readonly (readonly [question: string, keys: string])[],
): Promise<Ended> {
  const command = [process.execPath, program, ...argv]
  const words = keys ? ['script', '-qefc', command.map(quoted).join(' '), '/dev/null'] : command
  const [name = '', ...rest] = words
  const child = spawn(name, rest, {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder, TERM: 'xterm', ...env },
  })
  let text = ''
  let unanswered = 0
  const waiting = [...(keys ?? [])]
  const onText = (chunk: Buffer) => {
    text += chunk.toString('utf8')
    const [next] = waiting
    if (!next || !text.slice(unanswered).includes(next[0])) return
    waiting.shift()
    unanswered = text.length
    child.stdin.write(next[1])
  }
  child.stdout.on('data', onText)
  child.stderr.on('data', onText)
  if (!keys) child.stdin.end()
  return new Promise((resolve) => child.once('close', (status) => resolve({ status, text })))
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}

/** What init asks for, and variables for everything else. */
function surroundings() {
  const variables = new Map(Object.entries(parts.minerVariables))
  const take = (name: string) => {
    const value = variables.get(name) ?? ''
    variables.delete(name)
    return value
  }
  const asked = {
    wallet: take('TARGON_WALLET_NAME'),
    hotkey: take('TARGON_WALLET_HOTKEY'),
    server: take('TARGON_MODEL_ENDPOINT'),
  }
  variables.set('TARGON_UPDATE_ROOT', join(parts.stateFolder, 'releases'))
  variables.set('TARGON_ENGINE_HUB_URL', asked.server.replace(/\/v1$/, ''))
  return { ...asked, env: Object.fromEntries(variables) }
}

describe('targon init and targon doctor', { timeout: 180_000 }, () => {
  it('sets up without a terminal, and replaces a file only when it is forced', async () => {
    const folder = temporaryFolder('init')
    const { wallet, hotkey, env } = surroundings()
    const server = `http://127.0.0.1:${await freePort()}/v1`
    const flags = ['--wallet.name', wallet, '--wallet.hotkey', hotkey, '--model-endpoint', server]
    const ended = await runIn(folder, ['init', 'miner', ...flags], env)
    expect(ended.text).toMatch(/Wrote .*\.env/)
    expect(ended.text).toMatch(/^fail {2}upstream/m)
    expect(ended.text).toMatch(/Start it with:\n {2}.*miner start/)
    expect(ended.status).toBe(1)
    const file = join(folder, '.env')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readFileSync(file, 'utf8')).toContain(`TARGON_MODEL_ENDPOINT=${server}\n`)

    const again = await runIn(folder, ['init', 'miner', ...flags], env)
    expect(again.status).toBe(2)
    expect(again.text).toMatch(/SETUP_FILE_EXISTS/)
    const forced = await runIn(folder, ['init', 'miner', ...flags, '--force', '--json'], env)
    expect(existsSync(`${file}.previous`)).toBe(true)
    expect(JSON.parse(forced.text)).toMatchObject({ role: 'miner', file, doctor: { role: 'miner' } })
  })

  it('finds nothing to mend for a running miner, and calls its address', async () => {
    const { env } = surroundings()
    const variables = { ...env, ...parts.minerVariables, TARGON_METRICS_PORT: String(await freePort()) }
    const miner = startCli(['miner', 'start'], variables)
    await miner.said('"event":"axon-announced"')
    try {
      const { status, text } = await runIn(
        temporaryFolder('doctor'),
        ['doctor', 'miner', '--json'],
        variables,
      )
      const { healthy, findings } = document.parse(JSON.parse(text))
      expect(findings.filter(({ state }) => state === 'fail')).toEqual([])
      expect([healthy, status]).toEqual([true, 0])
      expect(findings.find(({ check }) => check === 'self-dial')?.saw).toMatch(/answers a signed request/)
    } finally {
      await miner.stop()
    }
  })

  it('asks in a terminal, and leaves an existing file alone unless told otherwise', async () => {
    const folder = temporaryFolder('init-terminal')
    const { server, env } = surroundings()
    const old = 'TARGON_NETUID=4\n'
    writeFileSync(join(folder, '.env'), old)
    const questions = [
      ['What will run here?', '\r'],
      ['Hotkey', '\r'],
      ['Address of a vLLM server', `\u0015${server}\r`],
      ['Address of another one', '\r'],
    ] as const
    const kept = await runIn(folder, ['init'], env, [...questions, ['Replace it?', '\r']])
    expect(kept.text).toContain('SETUP_FILE_EXISTS')
    expect(readFileSync(join(folder, '.env'), 'utf8')).toBe(old)
    const replaced = await runIn(folder, ['init'], env, [...questions, ['Replace it?', 'y\r']])
    expect(replaced.text).toMatch(/It serves targon-dev\/small-a/)
    expect(replaced.text).toMatch(/Start it with:/)
    expect(readFileSync(join(folder, '.env.previous'), 'utf8')).toBe(old)
    expect(readFileSync(join(folder, '.env'), 'utf8')).toMatch(/TARGON_WALLET_HOTKEY=\S+/)
  })
})
