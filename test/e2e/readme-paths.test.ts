import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { LOCALNET_MODELS } from '../../src/localnet/network/index.js'
import { type DevelopmentParts, startDevelopmentParts } from '../support/development-parts.js'
import { freePort } from '../support/free-port.js'
import { temporaryFolder } from '../support/temporary-folder.js'

// The commands of the README's paths, typed as they are written. Variables lead them to a development network.
const root = fileURLToPath(new URL('../../', import.meta.url))
const running: ChildProcess[] = []
let parts: DevelopmentParts

beforeAll(async () => {
  parts = await startDevelopmentParts()
}, 60_000)

afterEach(async () => {
  for (const child of running.splice(0)) {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
  }
})

afterAll(() => parts.stop())

/** The lines of a path, without those that prepare the machine. */
function linesOf(path: string): string[] {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const block = readme.split(`<!-- ${path} -->`)[1]?.split(`<!-- ${path}stop -->`)[0] ?? ''
  const lines = block.replaceAll('\\\n', ' ').split('\n')
  return lines.filter((line) => /^(?:node|curl) /.test(line))
}

function commandsOf(path: string): { init: string; start: string; look: string } {
  const [init = '', start = '', look = '', ...more] = linesOf(path)
  expect(more).toEqual([])
  return { init, start, look }
}

function type(folder: string, command: string, env: Readonly<Record<string, string>>): ChildProcess {
  const line = command.replace(/^node (\S+)/, (_, file: string) => `"${process.execPath}" "${root}${file}"`)
  const child = spawn('sh', ['-c', `exec ${line}`], {
    ...{ cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
    env: { PATH: process.env.PATH ?? '', HOME: folder, ...env },
  })
  running.push(child)
  return child
}

/** What a command has printed when it ends or, given one, when it has printed this text. */
function output(child: ChildProcess, until?: string): Promise<{ status: number | null; text: string }> {
  let text = ''
  return new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        text += chunk.toString('utf8')
        if (until !== undefined && text.includes(until)) resolve({ status: null, text })
      })
    child.once('close', (status) => resolve({ status, text }))
  })
}

/** The network in the place of the one that the README's reader has; what `init` is told stands in its command. */
async function surroundings(variables: Readonly<Record<string, string>>, told: readonly string[]) {
  const hidden = [...told, 'TARGON_WALLET_NAME', 'TARGON_WALLET_HOTKEY']
  const kept = Object.entries(variables).filter(([name]) => !hidden.includes(name))
  return {
    ...Object.fromEntries(kept),
    TARGON_METRICS_PORT: String(await freePort()),
    TARGON_UPDATE_ROOT: join(parts.stateFolder, 'releases'),
    TARGON_ALLOW_PRIVATE_AXONS: 'true',
    TARGON_ENGINE_HUB_URL: parts.validatorVariables.TARGON_ENGINE_HUB_URL ?? '',
  }
}

/** The reader's names replaced by those of the network. */
function adapt(command: string, variables: Readonly<Record<string, string>>): string {
  return command
    .replace('my-wallet', variables.TARGON_WALLET_NAME ?? '')
    .replace(/my-hotkey|my-validator/, variables.TARGON_WALLET_HOTKEY ?? '')
    .replace('127.0.0.1:8080', `127.0.0.1:${variables.TARGON_HUB_PORT}`)
    .replace('"NousResearch/Meta-Llama-3.1-8B-Instruct"', JSON.stringify(LOCALNET_MODELS[0]))
    .replace('http://127.0.0.1:8000/v1', variables.TARGON_MODEL_ENDPOINT ?? '')
    .replace(/\S+=http:\/\/127\.0\.0\.1:9000\/v1/, variables.TARGON_ENGINE_ENDPOINTS ?? '')
}

describe('the paths of the README, typed as they are written', { timeout: 240_000 }, () => {
  it('lead to a miner that answers', async () => {
    const folder = temporaryFolder('readme-miner')
    const { init, start, look } = commandsOf('miner-path')
    const env = await surroundings(parts.minerVariables, ['TARGON_MODEL_ENDPOINT'])
    const settled = await output(type(folder, adapt(init, parts.minerVariables), env))
    expect(settled.text).toMatch(/Nothing to mend.*[\s\S]*Start it with:/)
    expect(settled.status).toBe(0)
    expect((await output(type(folder, start, env), '"event":"ready"')).status).toBeNull()
    const asked = await output(type(folder, look, env))
    expect(asked.text).toMatch(/tokens\/s/)
    expect(asked.status).toBe(0)
  })

  it('lead to a validator that verifies', async () => {
    const folder = temporaryFolder('readme-validator')
    const { init, start, look } = commandsOf('validator-path')
    const env = await surroundings(parts.validatorVariables, ['TARGON_ENGINE_ENDPOINTS'])
    const settled = await output(type(folder, adapt(init, parts.validatorVariables), env))
    expect(settled.text).toMatch(/Start it with:/)
    expect(settled.status).toBe(0)
    expect((await output(type(folder, start, env), '"event":"ready"')).status).toBeNull()
    const shown = await output(type(folder, look, env))
    expect(shown.text).toMatch(/^engine .* ready$/m)
    expect(shown.status).toBe(0)
  })

  it('lead to a hub that answers a user', async () => {
    const { start: mine } = commandsOf('miner-path')
    const mining = await surroundings(parts.minerVariables, [])
    const miner = { ...mining, ...parts.minerVariables, TARGON_METRICS_PORT: mining.TARGON_METRICS_PORT }
    await output(type(temporaryFolder('readme-hub-miner'), mine, miner), '"event":"ready"')
    const folder = temporaryFolder('readme-hub')
    const [init = '', create = '', start = '', ask = '', ...more] = linesOf('hub-path')
    expect(more).toEqual([])
    const variables = { ...parts.hubVariables, TARGON_HUB_PORT: String(await freePort()) }
    const env = await surroundings(variables, [])
    const settled = await output(type(folder, adapt(init, variables), env))
    expect(settled.text).toMatch(/Nothing to mend.*[\s\S]*Start it with:[\s\S]*Create a key for a user with:/)
    expect(settled.status).toBe(0)
    const created = await output(type(folder, create, env))
    const [, key = ''] = /^(\S{30,})$/m.exec(created.text) ?? []
    expect(created.status, created.text).toBe(0)
    expect((await output(type(folder, start, env), '"event":"ready"')).status).toBeNull()
    const asked = await output(type(folder, adapt(ask, variables), { ...env, HUB_KEY: key }))
    expect(asked.text).toContain('"finish_reason"')
    expect(asked.status).toBe(0)
  })
})
