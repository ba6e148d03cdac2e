import { mkdtempSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { writeDevelopmentWallet } from '../../src/wallet/index.js'
import { type CliProcess, runCli, startCli } from '../support/cli-process.js'

const announced = z.object({ kind: z.literal('chain'), url: z.string(), wallets: z.string() })
const folder = mkdtempSync(join(tmpdir(), 'targon-bad-input-'))
let network: CliProcess
let chain: z.output<typeof announced>
let occupied: Server
let occupiedPort: number

beforeAll(async () => {
  await writeDevelopmentWallet(join(folder, 'strangers'), 'w', [
    { name: 'stranger', seed: new Uint8Array(32).fill(77) },
  ])
  const quick = ['--chain.block-time', '200', '--chain.port', '0', '--dir', join(folder, 'net')]
  network = startCli(['localnet', '--only', 'chain', '--exit-with-stdin', ...quick])
  await network.said('"kind":"chain"')
  chain = announced.parse(JSON.parse(network.stdout().split('\n')[0] ?? ''))
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

async function expectRefusal(argv: string[], status: number, code: string, advice: RegExp): Promise<void> {
  const outcome = await runCli(argv)
  const lines = outcome.stderr.split('\n').filter((line) => line.startsWith('Error ['))
  expect(lines, outcome.stderr).toHaveLength(1)
  expect(lines[0]).toContain(`Error [${code}]: `)
  expect(lines[0]).toMatch(advice)
  expect({ status: outcome.status, stdout: outcome.stdout }).toEqual({ status, stdout: '' })
}

describe.each(['miner', 'validator'])('targon %s start', (role) => {
  // An embedded database takes seconds to make.
  const quick = role === 'validator' ? ['--no-history'] : []
  const start = [role, 'start', ...quick, ...state]

  it('without a wallet exits 2 and says how to make one', () =>
    expectRefusal(
      [...start, '--wallet.path', '/nonexistent'],
      2,
      'WALLET_NOT_FOUND',
      /btcli wallet new-hotkey/,
    ))

  it('with a chain endpoint that refuses waits for it, and says so', async () => {
    const away = startCli([...start, ...stranger, '--subtensor.chain_endpoint', 'ws://127.0.0.1:1'])
    await away.said('chain-unreachable')
    expect(away.stderr()).toContain('Cannot connect to ws://127.0.0.1:1')
    expect(await away.stop()).toBe(0)
  })

  it('with an unknown network exits 2', () =>
    expectRefusal(
      [...start, ...stranger, '--subtensor.network', 'fineny'],
      2,
      'CONFIG_BAD_VALUE',
      /Did you mean finney\?/,
    ))

  it('with a hotkey that is not registered exits 3 and says how to register', () =>
    expectRefusal(
      [...start, ...onChain('x'), ...[]].map(replaceBy(stranger)),
      3,
      'HOTKEY_NOT_REGISTERED',
      /register/,
    ))

  it('with the status port in use exits 2', () =>
    expectRefusal(
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

/** Puts the stranger's wallet flags in the place of the same flags of another. */
function replaceBy(flags: readonly string[]) {
  return (word: string, index: number, all: readonly string[]) => {
    const at = flags.indexOf(all[index - 1] ?? '')
    return at >= 0 ? (flags[at + 1] ?? word) : word
  }
}

describe('targon validator start', () => {
  it('without a permit exits 3', () =>
    expectRefusal(
      ['validator', 'start', ...state, ...onChain('honest-fast')],
      3,
      'NO_VALIDATOR_PERMIT',
      /permit/,
    ))
})

describe('targon miner start', () => {
  const place = ['--axon.ip', '127.0.0.1', '--axon.external_ip', '127.0.0.1']

  it('with the axon port in use exits 2', () =>
    expectRefusal(
      ['miner', 'start', ...state, ...place, ...onChain('honest-slow'), '--axon.port', String(occupiedPort)],
      2,
      'AXON_PORT_UNAVAILABLE',
      /--axon\.port/,
    ))

  it('with a model server that is down says so, keeps running, and drains on SIGTERM with 0', async () => {
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
  it('for a model nobody serves exits 4', async () => {
    const words = ['query', 'Why?', '--model', 'no/such', '--allow-private-axons', ...onChain('validator')]
    await expectRefusal(words, 4, 'MODEL_NOT_SERVED', /no\/such.*--list/)
  })

  it('for a uid that serves nothing exits 4', () =>
    expectRefusal(
      ['query', 'Why?', '--uid', '250', ...onChain('validator')],
      4,
      'MINER_UNKNOWN',
      /uid 250.*--list/,
    ))
})

describe('the command line itself', () => {
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
  ])('%j exits 2', (argv, code, advice) => expectRefusal(argv, 2, code, advice))

  it('refuses an unknown variable by name', async () => {
    const { status, stderr } = await runCli(['miner', 'start', '--print-config'], { TARGON_AXON_PROT: '1' })
    expect(status).toBe(2)
    expect(stderr).toContain('Did you mean TARGON_AXON_PORT?')
  })

  it('survives a reader that goes away', async () => {
    const cli = startCli(['miner', 'start', '--print-config'])
    cli.child.stdout?.destroy()
    expect(await cli.ended).toBe(0)
  })
})
