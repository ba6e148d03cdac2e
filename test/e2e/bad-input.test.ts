import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { writeDevelopmentWallet } from '../../src/wallet/index.js'
import { type CliProcess, runCli, startCli } from '../support/cli-process.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const endpoint = z.object({ kind: z.literal('chain'), url: z.string(), wallets: z.string() })
const folder = temporaryFolder('bad-input')
let network: CliProcess
let chain: z.output<typeof endpoint>
let occupied: Server
let occupiedPort: number

beforeAll(async () => {
  await writeDevelopmentWallet(join(folder, 'strangers'), 'w', [
    { name: 'stranger', seed: new Uint8Array(32).fill(77) },
  ])
  const quick = ['--chain.block-time', '200', '--chain.port', '0', '--dir', join(folder, 'net')]
  network = startCli(['localnet', '--only', 'chain', '--exit-with-stdin', ...quick])
  await network.said('"kind":"chain"')
  chain = endpoint.parse(JSON.parse(network.stdout().split('\n')[0] ?? ''))
  occupied = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => occupied.once('listening', resolve))
  const address = occupied.address()
  occupiedPort = typeof address === 'object' && address ? address.port : 0
})

afterAll(async () => {
  occupied?.close()
  await network?.stop()
})

function onChain(hotkey: string): string[] {
  const place = ['--subtensor.network', 'local', '--subtensor.chain_endpoint', chain.url]
  const wallet = ['--wallet.path', chain.wallets, '--wallet.name', 'localnet', '--wallet.hotkey', hotkey]
  return [...place, ...wallet]
}

const state = ['--logging.logging_dir', join(folder, 'state'), '--metrics.port', '0']
const stranger = [
  '--wallet.path',
  join(folder, 'strangers'),
  '--wallet.name',
  'w',
  '--wallet.hotkey',
  'stranger',
]

async function expectError(argv: string[], status: number, code: string, advice: RegExp): Promise<void> {
  const outcome = await runCli(argv)
  const lines = outcome.stderr.split('\n').filter((line) => line.startsWith('Error ['))
  expect(lines, outcome.stderr).toHaveLength(1)
  expect(lines[0]).toContain(`Error [${code}]: `)
  expect(lines[0]).toMatch(advice)
  expect({ status: outcome.status, stdout: outcome.stdout }).toEqual({ status, stdout: '' })
}

describe.each(['miner', 'validator'])('targon %s start', (role) => {
  // creating the embedded database takes seconds
  const quick = role === 'validator' ? ['--no-history'] : []
  const start = [role, 'start', ...quick, ...state]

  it('exits 2 without a wallet and says how to create one', () =>
    expectError(
      [...start, '--wallet.path', '/nonexistent'],
      2,
      'WALLET_NOT_FOUND',
      /btcli wallet new-hotkey/,
    ))

  it('waits for a chain endpoint that refuses connections, and says so', async () => {
    const waiting = startCli([...start, ...stranger, '--subtensor.chain_endpoint', 'ws://127.0.0.1:1'])
    await waiting.said('chain-unreachable')
    expect(waiting.stderr()).toContain('Cannot connect to ws://127.0.0.1:1')
    expect(await waiting.stop()).toBe(0)
  })

  it('exits 2 for an unknown network', () =>
    expectError(
      [...start, ...stranger, '--subtensor.network', 'fineny'],
      2,
      'CONFIG_BAD_VALUE',
      /Did you mean finney\?/,
    ))

  it('exits 3 for an unregistered hotkey and says how to register it', () =>
    expectError(
      [...start, ...onChain('x'), ...[]].map(replaceBy(stranger)),
      3,
      'HOTKEY_NOT_REGISTERED',
      /register/,
    ))

  it('exits 2 when the status port is in use', () =>
    expectError(
      [
        ...start.slice(0, -1),
        String(occupiedPort),
        ...onChain(role === 'miner' ? 'honest-fast' : 'validator'),
      ],
      2,
      'STATUS_PORT_IN_USE',
      /--metrics\.port/,
    ))
})

/** Replaces the values of wallet flags by the stranger's. */
function replaceBy(flags: readonly string[]) {
  return (word: string, index: number, all: readonly string[]) => {
    const at = flags.indexOf(all[index - 1] ?? '')
    return at >= 0 ? (flags[at + 1] ?? word) : word
  }
}

describe('targon validator start', () => {
  it('exits 3 without a validator permit', () =>
    expectError(
      ['validator', 'start', ...state, ...onChain('honest-fast')],
      3,
      'NO_VALIDATOR_PERMIT',
      /permit/,
    ))
})

describe('targon miner start', () => {
  const place = ['--axon.ip', '127.0.0.1', '--axon.external_ip', '127.0.0.1']

  it('exits 2 when the axon port is in use', () =>
    expectError(
      ['miner', 'start', ...state, ...place, ...onChain('honest-slow'), '--axon.port', String(occupiedPort)],
      2,
      'AXON_PORT_UNAVAILABLE',
      /--axon\.port/,
    ))

  it('reports a model server that is down, keeps running, and exits 0 on SIGTERM', async () => {
    const model = ['--model-endpoint', 'http://127.0.0.1:1/v1']
    const miner = startCli([
      'miner',
      'start',
      ...state,
      ...place,
      ...onChain('honest-medium'),
      '--axon.port',
      '0',
      ...model,
    ])
    await miner.said('upstream-down')
    await miner.ready()
    expect(miner.stderr()).toContain('--model-endpoint')
    expect(await miner.stop()).toBe(0)
  })
})

describe('targon query', () => {
  it('exits 4 when the only miner with an address has stopped', async () => {
    const words = ['query', 'Why?', '--model', 'no/such', '--allow-private-axons', ...onChain('validator')]
    await expectError(words, 4, 'MINER_ANSWER', /did not list its models: .*--list/)
  })

  it('exits 4 for a uid that serves nothing', () =>
    expectError(
      ['query', 'Why?', '--uid', '250', ...onChain('validator')],
      4,
      'MINER_UNKNOWN',
      /uid 250.*--list/,
    ))
})

describe('the command line', () => {
  it.each([
    [['miner', 'start', '--walet.name', 'x'], 'UNKNOWN_FLAG', /--wallet\.name/],
    [['miner', 'start', '--netuid', 'four'], 'CONFIG_BAD_VALUE', /--netuid/],
    [['validator', 'start', '--models.mode', 'endpiont'], 'CONFIG_BAD_VALUE', /endpoint/],
    [['quer'], 'UNKNOWN_COMMAND', /Unknown command quer\. Did you mean targon query\?/],
    [['miner', 'strat'], 'UNKNOWN_COMMAND', /Did you mean targon miner start\?/],
    [['miner', 'start', 'extra'], 'USAGE', /: Unexpected argument extra\. See --help/],
    [
      ['miner', 'start', '--cache-file', 'x'],
      'UNKNOWN_FLAG',
      /--cache-file is a flag of targon validator start, not of this command\./,
    ],
    [['query', '--hotkey', '5Fnope', 'x'], 'HOTKEY_INVALID', /ss58/],
    [['update', '--to', 'newest'], 'UPDATE_BAD_VERSION', /X\.Y\.Z/],
    [['query', '--config', '/nonexistent.json', 'x'], 'CONFIG_FILE_UNREADABLE', /nonexistent/],
  ])('exits 2 for %j', (argv, code, advice) => expectError(argv, 2, code, advice))

  it('rejects an unknown environment variable by name', async () => {
    const { status, stderr } = await runCli(['miner', 'start', '--print-config'], { TARGON_AXON_PROT: '1' })
    expect(status).toBe(2)
    expect(stderr).toContain('Did you mean TARGON_AXON_PORT?')
  })

  it('exits 0 when its stdout is closed', async () => {
    const cli = startCli(['miner', 'start', '--print-config'])
    cli.child.stdout?.destroy()
    expect(await cli.ended).toBe(0)
  })
})
