import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { minerStatus } from '../../src/roles/miner/index.js'
import { validatorStatus } from '../../src/roles/validator/index.js'
import { type CliProcess, runCli, startCli } from '../support/cli-process.js'
import { type DevelopmentParts, startDevelopmentParts } from '../support/development-parts.js'
import { freePort } from '../support/free-port.js'

const MODEL = 'targon-dev/small-a'

/** A miner and a validator of a subnet on this machine, each with its own process and status port. */
describe('beside running neurons', { timeout: 120_000 }, () => {
  const running: CliProcess[] = []
  let parts: DevelopmentParts
  let ports: { miner: string; validator: string }
  /** Variables that name the chain, without a wallet. */
  let chain: Record<string, string>

  beforeAll(async () => {
    parts = await startDevelopmentParts()
    const { minerVariables } = parts
    ports = { miner: String(await freePort()), validator: String(await freePort()) }
    const axonPort = String(await freePort())
    const {
      TARGON_SUBTENSOR_NETWORK: network = '',
      TARGON_SUBTENSOR_CHAIN_ENDPOINT: endpoint = '',
      TARGON_WALLET_PATH: wallets = '',
      TARGON_MODEL_ENDPOINT: engine = '',
    } = minerVariables
    chain = {
      TARGON_SUBTENSOR_NETWORK: network,
      TARGON_SUBTENSOR_CHAIN_ENDPOINT: endpoint,
      TARGON_WALLET_PATH: wallets,
      TARGON_WALLET_NAME: 'localnet',
    }
    const miner = startCli(['miner', 'start', '--exit-with-stdin'], {
      ...minerVariables,
      TARGON_METRICS_PORT: ports.miner,
      TARGON_AXON_PORT: axonPort,
    })
    running.push(miner)
    await miner.ready()
    const validator = startCli(
      [
        ...[
          'validator',
          'start',
          '--exit-with-stdin',
          '--wallet.hotkey',
          'validator',
          '--allow-private-axons',
        ],
        ...[
          '--models.mode',
          'config',
          '--models.file',
          join(wallets, '..', 'models.txt'),
          '--hub.url',
          'off',
        ],
        ...['--engine.endpoints', `${MODEL}=${engine}`, '--engine.hub-url', engine.replace(/\/v1$/, '')],
        ...['--round.max-tokens', '16-32', '--metrics.port', ports.validator, '--epoch-length', '30'],
        ...['--logging.logging_dir', parts.stateFolder, '--dataset.url', 'off', '--no-evidence.calibrate'],
      ],
      chain,
    )
    running.push(validator)
    await validator.ready()
  }, 180_000)

  afterAll(async () => {
    for (const process of running.reverse()) await process.stop()
    await parts?.stop()
  }, 60_000)

  it('miner status tells who asked last, and validator status the last round', async () => {
    await vi.waitFor(
      async () => {
        const { stdout } = await runCli(['validator', 'status', '--metrics.port', ports.validator, '--json'])
        const status = validatorStatus.parse(JSON.parse(stdout))
        expect(status.lastRound).toMatchObject({ model: MODEL, judgedAt: expect.any(String) })
        expect(status).toMatchObject({ unready: null, standing: { hasPermit: true } })
        expect(status.nextWeights?.block).toBeGreaterThanOrEqual(status.block - 1)
      },
      { timeout: 90_000, interval: 2000 },
    )
    const { stdout, status } = await runCli(['miner', 'status', '--metrics.port', ports.miner])
    expect(status).toBe(0)
    expect(stdout).toMatch(/^miner +uid \d+ of subnet 4 · block [\d,]+ · running/)
    expect(stdout).toMatch(/^state +serving on 127\.0\.0\.1:\d+$/m)
    expect(stdout).toMatch(/^last asked .* ago by uid \d+ \(5/m)
  })

  it('status shows what answers on a port, and repeats it as lines of JSON until it is stopped', async () => {
    const both = await runCli(['status', '--metrics.port', ports.validator])
    expect(both.stdout).toMatch(/^validator +uid \d+ of subnet 4/)
    const watching = startCli([
      ...['miner', 'status', '--metrics.port', ports.miner],
      ...['--watch', '--interval', '1', '--json'],
    ])
    await vi.waitFor(() => expect(watching.stdout().trim().split('\n').length).toBeGreaterThan(1), 30_000)
    expect(await watching.stop('SIGINT')).toBe(0)
    expect(watching.stderr()).toBe('')
    for (const line of watching.stdout().trim().split('\n'))
      expect(minerStatus.parse(JSON.parse(line)).role).toBe('miner')
  })

  it('query --self asks the announced address and judges the answer', async () => {
    const engine = parts.minerVariables.TARGON_MODEL_ENDPOINT ?? ''
    const reference = [
      '--engine.endpoints',
      `${MODEL}=${engine}`,
      '--engine.hub-url',
      engine.replace(/\/v1$/, ''),
    ]
    const own = { ...chain, TARGON_WALLET_HOTKEY: 'honest-fast' }
    const judged = await runCli(
      ['query', '--self', '--max-tokens', '16', '--model', MODEL, ...reference],
      own,
    )
    expect(judged).toMatchObject({ status: 0, stderr: '' })
    expect(judged.stdout).toMatch(/^hotkey +5\w+, uid \d+$/m)
    expect(judged.stdout).toMatch(/^address +http:\/\/127\.0\.0\.1:\d+, announced at block \d+$/m)
    expect(judged.stdout).toMatch(/^verdict +verified$/m)
    const alone = await runCli(['query', '--self', '--max-tokens', '16', '--model', MODEL, '--json'], own)
    expect(JSON.parse(alone.stdout)).toMatchObject({
      miner: { uid: expect.any(Number) },
      models: expect.arrayContaining([MODEL]),
      announcedAtBlock: expect.any(Number),
      warnings: [],
    })
  })

  it('query --self says what to do for a hotkey that announces nothing', async () => {
    const { status, stdout } = await runCli(['query', '--self', '--json'], {
      ...chain,
      TARGON_WALLET_HOTKEY: 'validator',
    })
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'AXON_NOT_ANNOUNCED' } })
    expect(status).toBe(2)
  })
})
