import { setMaxListeners } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCleanupStack } from '../../src/kernel/cleanup-stack.js'
import { type Clock, systemClock } from '../../src/kernel/clock.js'
import { createRandom } from '../../src/prompts/index.js'
import type { connectPorts } from '../../src/roles/validator/rounds/ports.js'
import { softDeadlineMs } from '../../src/roles/validator/rounds/round-loop.js'
import { startServices } from '../../src/roles/validator/validator.js'
import { answerOf, completionRequest, servingMiners, viewOf } from '../roles/validator/rounds/round-parts.js'
import {
  createRigChain,
  createRigContext,
  defaultSettings,
  MODEL,
  openRigWeights,
} from '../roles/validator/validator-rig.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { type Answering, type StreamServer, startStreamServer } from '../support/stream-server.js'
import { scaled } from './scale.js'
import { startTally } from './tally.js'

/** F27: the hub and the database, present or not, working or broken, do not change the weights by a single bit. */

const MINERS = 60
const ROUNDS = 20
const MAX_TOKENS = 8
/** Rounds that pass it leave out the miners whose answers have no verdict yet, which a busy machine would decide. */
const SOFT_DEADLINE_MS = softDeadlineMs(MAX_TOKENS)
/**
 * Sleeps and measured durations take a fiftieth of their time, so that a stalled machine does not void a round; only the soft
 * deadline of a round keeps its length.
 */
const fastClock: Clock = {
  ...systemClock,
  monotonic: () => systemClock.monotonic() / 50,
  sleep: (ms, signal) => systemClock.sleep(ms === SOFT_DEADLINE_MS ? ms : ms / 50, signal),
}

const HUBS: Readonly<Record<string, Answering>> = {
  'accepts everything': (response, { path }) =>
    response.end(path === '/organics' ? '{"bucket_id":null,"organics":{}}' : '["",200]'),
  'responds slowly': (response) => void setTimeout(() => response.end('["",200]'), 300),
  'returns 500': (response) => response.writeHead(500).end('Internal Server Error'),
  'returns garbage': (response) => response.end('{"bucket_id": 7'),
  'never responds': () => {},
  'resets the connection': (response) => response.socket?.resetAndDestroy(),
  'sends records of an unknown uid': (response, { path }) =>
    response.end(path === '/organics' ? bucketOf(999, '5Miner1') : ''),
}
/** The control: a failed request of a user lowers the score of its miner. */
const PUNISHING: Answering = (response, { path }) => response.end(path === '/organics' ? bucketOf(1) : '')

function bucketOf(uid: number, hotkey = `5Miner${uid}`): string {
  const record = {
    ...{ uid, hotkey, coldkey: 'c', endpoint: 'COMPLETION', success: false },
    ...{ total_time: 100, time_to_first_token: 10, response_tokens: 5, response: [] },
    request: { max_tokens: 8, seed: 1, temperature: 0.5, prompt: 'x' },
  }
  return JSON.stringify({ bucket_id: 'b_1', organics: { [MODEL]: [record] } })
}

let folder: string
let runs = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'targon-side-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

interface SideServices {
  readonly hub?: Answering | undefined
  readonly history?: boolean
  readonly databaseUrl?: string
}

/** Runs a validator for all rounds and the epoch after them, with answers drawn from the seed. @returns its weights. */
async function weigh(
  seed: string,
  { hub, history = false, databaseUrl }: SideServices,
): Promise<readonly number[]> {
  const server: StreamServer | undefined = hub && (await startStreamServer(hub))
  const signer = await hotkeyOf(200)
  const miners = servingMiners(MINERS)
  const view = viewOf(miners)
  const chain = createRigChain(
    [...view.metagraph.neurons].map((one) => (one.uid === 0 ? { ...one, hotkey: signer.address } : one)),
  )
  const lines: string[] = []
  let queried = 0
  const log = pino({ level: 'debug' }, { write: (line) => void lines.push(line) })
  const stop = new AbortController()
  setMaxListeners(0, stop.signal)
  // waits for an embedded database that is still opening, even on a busy machine
  const cleanup = createCleanupStack(
    { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms * 20, signal) },
    log,
  )
  const stateDir = join(folder, String(runs++), 'validator')
  await mkdir(stateDir, { recursive: true })
  const weights = await openRigWeights(chain, {
    ...{ clock: systemClock, log, signer, signal: stop.signal, folder: stateDir },
  })
  const context = createRigContext({
    ...{ clock: fastClock, log, signal: stop.signal, stateDir, signer, subtensor: chain, view },
    settings: defaultSettings({
      ...{ 'metrics.port': 0, 'epoch-length': 30, 'round.models': 'in-turn', seed, history },
      'hub.url': server?.url ?? 'off',
      'allow-private-axons': true,
      ...(databaseUrl === undefined ? {} : { 'database.url': databaseUrl }),
    }),
  })
  const models = { current: () => [MODEL], refresh: async () => {} }
  const services = await startServices(context, { ...context, weights, models }, cleanup, connectTo(seed))
  // organics are fetched with the first head; the last round has its results before weights are due
  chain.grow(101)
  await expect.poll(() => lines.filter((line) => line.includes('rounds are over')).length, WAIT).toBe(1)
  await expect
    .poll(() => lines.filter((line) => line.includes('"event":"verdict"')).length, WAIT)
    .toBe(queried)
  chain.grow(121)
  await expect.poll(() => chain.submissions.length, WAIT).toBe(1)
  stop.abort()
  await services.done
  await cleanup.closeAll()
  await weights.close()
  await server?.close()
  return chain.submissions[0]?.scores ?? []

  /** Ports that answer at once, with a speed or failure drawn from seed, round and miner. */
  function connectTo(key: string): typeof connectPorts {
    return async () => ({
      ports: {
        ...{ clock: fastClock, stallSince: () => 0, stallLimitMs: 50 },
        prompts: async (_, round, signal) => {
          if (round < ROUNDS) return () => ({ ...completionRequest(MAX_TOKENS), model: MODEL, seed: round })
          log.info('rounds are over')
          return new Promise((_resolve, reject) =>
            signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
          )
        },
        prepare: (request, { uid }) => {
          queried++
          const random = createRandom(`${key}/${request.seed}/${uid}`)
          const answer = answerOf({ tokensPerSecond: 20 + uid + 30 * random.next(), stallMs: 0 })
          return async () => (random.next() < 0.2 ? { ...answer, text: 'bad' } : answer)
        },
        verify: async (_engine, _request, { text }) =>
          text === 'bad' ? { kind: 'failed', cause: 'OVERFIT', detail: '' } : { kind: 'verified' },
      },
      close: async () => {},
    })
  }
}

const WAIT = { timeout: 60_000, interval: 10 }
const SEEDS = Array.from({ length: scaled(20) }, (_, index) => `pair ${index}`)

describe('the same answers give the same weights, bit for bit', () => {
  test.for(Object.keys(HUBS))('with a hub that %s as without one', async (kind, { task }) => {
    const tally = startTally(task, { fault: 'F27', kind: `runs with a hub that ${kind}`, full: 20 })
    for (const seed of SEEDS) {
      const without = await weigh(seed, {})
      expect(without.filter((score) => score > 0).length).toBeGreaterThan(MINERS / 2)
      expect(await weigh(seed, { hub: HUBS[kind] ?? PUNISHING })).toEqual(without)
      tally.count++
    }
  })

  test.for<[string, SideServices]>([
    ['an unreachable database', { history: true, databaseUrl: 'postgres://nobody@127.0.0.1:1/none' }],
    ['the embedded database and a hub that fails', { history: true, hub: HUBS['returns 500'] }],
  ])('with %s as without', async ([kind, services], { task }) => {
    const tally = startTally(task, { fault: 'F27', kind: `runs with ${kind}`, full: 5 })
    for (const seed of SEEDS.slice(0, scaled(tally.full))) {
      expect(await weigh(seed, services)).toEqual(await weigh(seed, {}))
      tally.count++
    }
  })

  test('control: one failed request of a user changes the weights, and so does another seed', async () => {
    const without = await weigh('pair 0', {})
    const punished = await weigh('pair 0', { hub: PUNISHING })
    expect(punished).not.toEqual(without)
    expect(await weigh('pair 1', {})).not.toEqual(without)
  })
})
