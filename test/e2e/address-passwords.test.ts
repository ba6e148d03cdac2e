import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Setting, settings } from '../../src/config/index.js'
import { type CliProcess, runCli, startCli } from '../support/cli-process.js'
import { freePort } from '../support/free-port.js'
import { type StreamServer, startStreamServer } from '../support/stream-server.js'

const SECRET = 'hunter2-secret'
const folder = mkdtempSync(join(tmpdir(), 'targon-passwords-'))
let network: CliProcess
let chain: { url: string; wallets: string }
let server: StreamServer

beforeAll(async () => {
  server = await startStreamServer((response) => response.writeHead(500).end('{}'))
  const quick = ['--chain.block-time', '200', '--chain.port', '0', '--dir', join(folder, 'net')]
  network = startCli(['localnet', '--only', 'chain', '--exit-with-stdin', ...quick])
  await network.said('"kind":"chain"')
  chain = JSON.parse(network.stdout().split('\n')[0] ?? '')
})

afterAll(async () => {
  await network?.stop()
  await server?.close()
})

/** The address with a user and the secret as its password. */
const hiding = (url: string) => url.replace('://', `://ops:${SECRET}@`)

/** A value with a password for every setting that takes an address, whether something listens there or not. */
function addresses(): Record<string, string> {
  const web = hiding(server.url)
  return {
    'subtensor.chain_endpoint': hiding(chain.url),
    'subtensor.fallback_endpoints': hiding('ws://127.0.0.1:1'),
    'model-endpoint': `${web}/v1,${hiding('http://127.0.0.1:1')}/v1`,
    'replay.redis-url': hiding('redis://127.0.0.1:1'),
    'engine.endpoints': `targon-dev/small-a=${hiding('http://127.0.0.1:1')}/v1`,
    'engine.hub-url': web,
    'hub.url': web,
    'models.endpoint': web,
    'dataset.url': web,
    'database.url': hiding('postgres://127.0.0.1:1/targon'),
    'update.url': web,
  }
}

function startOf(role: 'miner' | 'validator', left: readonly string[], port: number): string[] {
  const words = Object.entries(addresses()).flatMap(([name, value]) => {
    const { roles }: Setting = settings[name as keyof typeof settings]
    return roles.includes(role) && !left.includes(name) ? [`--${name}`, value] : []
  })
  const wallet = ['--wallet.path', chain.wallets, '--wallet.name', 'localnet']
  const hotkey = role === 'miner' ? 'honest-fast' : 'validator'
  const ports = [
    '--metrics.port',
    String(port),
    ...(role === 'miner' ? ['--axon.port', '0', '--axon.external_ip', '127.0.0.1'] : []),
  ]
  const state = ['--logging.logging_dir', join(folder, 'state'), '--logging.trace']
  return [role, 'start', ...words, ...wallet, '--wallet.hotkey', hotkey, ...ports, ...state]
}

it('covers every setting that takes an address', () => {
  const named = Object.keys(settings).filter((name) => /url$|endpoints?$/.test(name))
  expect(Object.keys(addresses()).toSorted()).toEqual(named.toSorted())
})

it.each([
  // Addresses of model servers and engines are refused when they have a password.
  ['miner', ['model-endpoint', 'replay.redis-url'], 'status-server-listening'],
  ['validator', ['engine.endpoints'], 'status-server-listening'],
] as const)('a running %s shows no password of an address anywhere', async (role, left, event) => {
  const port = await freePort()
  const running = startCli(startOf(role, left, port))
  await running.ready()
  await running.said(event)
  const documents = await Promise.all(
    ['status', 'metrics', 'readyz'].map(async (name) =>
      (await fetch(`http://127.0.0.1:${port}/${name}`)).text(),
    ),
  )
  const status = await running.stop()
  const shown = [running.stdout(), running.stderr(), ...documents].join('\n')
  expect(status, shown).toBe(0)
  expect(shown.includes('ops:[redacted]@')).toBe(role === 'validator')
  expect(shown).not.toContain(SECRET)
})

it('a validator that refuses an address shows no password', async () => {
  const { status, stdout, stderr } = await runCli(startOf('validator', [], 0))
  expect(status).toBe(2)
  expect(stderr).toContain('ENGINE_ENDPOINTS')
  expect(stdout + stderr).not.toContain(SECRET)
})

it.each([
  ['the settings', ['--print-config']],
  ['the settings as JSON', ['--print-config', '--json']],
  ['a refusal', ['--axon.port', '-1']],
  ['a refused address', []],
  ['a failed start', ['--wallet.hotkey', 'nobody']],
  ['a failed start with JSON', ['--wallet.hotkey', 'nobody', '--json']],
])('%s of a miner that does not start shows no password', async (_, words) => {
  const { stdout, stderr } = await runCli([...startOf('miner', [], 0), ...words])
  expect(stdout + stderr).not.toContain(SECRET)
  expect(stdout + stderr).not.toBe('')
})
