import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectEngine, DockerClient, Fleet, type ReferenceEngine } from '../../src/engine/index.js'
import { type Clock, systemClock } from '../../src/kernel/clock.js'
import { type ValidatorDeps, validatorStatus } from '../../src/roles/validator/index.js'
import { softDeadlineMs } from '../../src/roles/validator/rounds/round-loop.js'
import { createRig, type LogLine, MODEL, type Rig } from '../roles/validator/validator-rig.js'
import { startFakeDocker } from '../support/fake-docker.js'
import { ENGINE_FAULTS, type FakeEngine, startFakeEngine } from '../support/fake-engine.js'
import { type FakeMiner, startFakeMiner } from '../support/fake-miner.js'
import { GAUNTLET_SCALE, scaled } from './scale.js'
import { startTally } from './tally.js'

/** F26: no fault of the validator's own engine changes a score, and verdicts resume within a minute after it recovers. */

const SPEED = 10
/** Runs the validator and its engine client ten times as fast. */
const fastClock: Clock = {
  now: systemClock.now,
  monotonic: () => systemClock.monotonic() * SPEED,
  sleep: (ms, signal) => systemClock.sleep(ms / SPEED, signal),
}
const MAX_TOKENS = 16
/** Up to 10 s to rewrite the question, the soft deadline of the answers, and 10 s for the verdicts on a busy machine. */
const ROUND_MS = 10_000 + softDeadlineMs(MAX_TOKENS) + 10_000
const RECOVERY_MS = 60_000
const RUNS = scaled(20)

let folder: string
let miners: FakeMiner[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'targon-engine-faults-'))
  miners = await Promise.all([
    startFakeMiner({ models: [MODEL], gapMs: 1 }),
    startFakeMiner({ models: [MODEL], gapMs: 1 }),
    startFakeMiner({ models: [MODEL], gapMs: 1, behaviour: 'liar' }),
  ])
})
afterAll(async () => {
  await Promise.all(miners.map((miner) => miner.close()))
  await rm(folder, { recursive: true, force: true })
})

interface Bench {
  readonly rig: Rig
  readonly engine: FakeEngine
  readonly url: string
  /** Verdicts logged from this line on. */
  verdicts(from: number): LogLine[]
  /** Scores and verdict counts from `/status`. */
  scores(): Promise<unknown>
  /** Milliseconds of the fast clock until a log line from this one on matches. */
  timed(from: number, matches: (line: LogLine) => boolean): Promise<number>
  close(): Promise<void>
}

async function startBench(
  fault: FakeEngine['fault'],
  deps: Partial<ValidatorDeps> = {},
  wrap: (engine: ReferenceEngine) => ReferenceEngine = (engine) => engine,
  queried: readonly FakeMiner[] = miners,
): Promise<Bench> {
  const engine = await startFakeEngine(MODEL, join(folder, 'models'))
  engine.fault = fault
  const connected = connectEngine({
    model: MODEL,
    urls: [engine.url],
    hubUrl: engine.url,
    cacheDir: folder,
    modelDir: join(folder, 'models'),
    clock: fastClock,
    log: pino({ enabled: false }),
    scoringTimeoutMs: 20_000,
  })
  const seen = wrap(connected)
  const rig = await createRig(
    queried,
    // no seed, so that questions are rewritten, which calls the engine as well
    { 'round.max-tokens': { min: MAX_TOKENS, max: MAX_TOKENS }, seed: undefined, 'epoch-length': 1000 },
    { clock: fastClock, engines: () => [seen], ...deps },
  )
  const { url } = await rig.start()
  return {
    rig,
    engine,
    url,
    verdicts: (from) => rig.log.slice(from).filter(({ event }) => event === 'verdict'),
    scores: async () => {
      const status = validatorStatus.parse(await (await fetch(`${url}/status`)).json())
      return status.miners.map(({ uid, score, verdicts }) => ({
        ...{ uid, score, verified: verdicts.verified, failed: verdicts.failed },
      }))
    },
    timed: async (from, matches) => {
      const startedAt = fastClock.monotonic()
      await rig.logged((line) => rig.log.indexOf(line) >= from && matches(line))
      return fastClock.monotonic() - startedAt
    },
    close: async () => {
      await rig.dispose()
      await connected.close()
      await engine.close()
    },
  }
}

const verified = (line: LogLine) => line.event === 'verdict' && line.verdict === 'verified'
const failed = (line: LogLine) => line.event === 'verdict' && line.verdict === 'failed'
const inconclusive = (line: LogLine) => line.event === 'verdict' && line.verdict === 'inconclusive'
/** A round without verdicts: inconclusive, failed or skipped. */
const noVerdict = (line: LogLine) =>
  inconclusive(line) || line.event === 'round-failed' || line.event === 'round-skipped'

// a scaled run mostly waits, so its tests run concurrently
const suite = GAUNTLET_SCALE === 1 ? describe : describe.concurrent

suite('the engine of a validator', () => {
  test.for(ENGINE_FAULTS)(
    'fault "%s": no score changes, no answer is accepted unverified, rounds end in time, and verdicts resume',
    async (fault, { task }) => {
      const tally = startTally(task, { fault: 'F26', kind: `engine faults: ${fault}`, full: 20 })
      const bench = await startBench('none')
      try {
        await bench.timed(0, verified)
        await bench.timed(0, failed)
        for (let run = 0; run < RUNS; run++) {
          bench.engine.fault = fault
          const broken = bench.rig.log.length
          // answers from before the fault may still get a verdict; after the first round without one, none may
          expect(await bench.timed(broken, noVerdict)).toBeLessThan(ROUND_MS + 2 * 20_000)
          const from = bench.rig.log.length
          const scored = bench.engine.scored
          const before = await bench.scores()
          await fastClock.sleep(20_000)
          expect(await bench.scores()).toEqual(before)
          expect(bench.verdicts(from).filter((line) => !inconclusive(line))).toEqual([])
          expect(bench.engine.scored).toBe(scored)

          bench.engine.fault = 'none'
          expect(await bench.timed(bench.rig.log.length, verified)).toBeLessThan(RECOVERY_MS)
          tally.count++
        }
      } finally {
        await bench.close()
      }
    },
  )

  test('starting slowly: no miner is queried until answers can be verified', async ({ task }) => {
    const tally = startTally(task, { fault: 'F26', kind: 'slow starts of the engine', full: 20 })
    for (let run = 0; run < RUNS; run++) {
      const miner = await startFakeMiner({ models: [MODEL], gapMs: 1 })
      const bench = await startBench('loading', {}, (engine) => engine, [miner])
      try {
        const ready = async () => (await fetch(`${bench.url}/readyz`)).status
        await bench.timed(0, ({ event }) => event === 'round-skipped')
        expect(await ready()).toBe(503)
        await fastClock.sleep(20_000)
        expect(miner.asked).toEqual([])
        bench.engine.fault = 'none'
        expect(await bench.timed(0, verified)).toBeLessThan(RECOVERY_MS)
        expect(await ready()).toBe(200)
        tally.count++
      } finally {
        await bench.close()
        await miner.close()
      }
    }
  })

  test('losing the Docker socket: running engines keep working, weights are set, and the fleet is reconciled again', async ({
    task,
  }) => {
    const tally = startTally(task, { fault: 'F26', kind: 'losses of the Docker socket', full: 20 })
    const socketPath = join(folder, 'docker.sock')
    const refreshes: string[] = []
    const fleet = new Fleet({
      docker: new DockerClient(socketPath),
      ...{ owner: '5Owner', image: 'vllm/vllm-openai:latest', cacheDir: folder, stateDir: folder },
      ...{ gpuMemoryUtilization: 0.9, hubUrl: 'http://127.0.0.1:1', clock: fastClock },
      readGpus: async () => [],
      shuffle: (models) => models,
      log: pino({ enabled: false }),
    })
    const refreshEngines: ValidatorDeps['refreshEngines'] = async (wanted, why, signal) => {
      await fleet.reconcile(wanted, why, signal)
      refreshes.push('done')
    }
    const bench = await startBench('none', { refreshEngines })
    try {
      await bench.timed(0, verified)
      for (let run = 1; run <= RUNS; run++) {
        const lost = bench.rig.log.length
        bench.rig.chain.grow(2000 * run)
        await bench.timed(lost, ({ event }) => event === 'background-job-failed')
        await bench.timed(lost, ({ event }) => event === 'weights-set')
        await bench.timed(bench.rig.log.length, verified)
        const docker = await startFakeDocker(socketPath)
        bench.rig.chain.grow(2000 * run + 1000)
        await expect.poll(() => refreshes.length).toBe(run)
        await docker.close()
      }
      expect(bench.verdicts(0).filter(inconclusive)).toEqual([])
      tally.count = RUNS
    } finally {
      await bench.close()
    }
  })

  test('control: an engine whose faults are ignored produces verdicts and scores during an outage', async () => {
    const bench = await startBench('none', {}, swallowing)
    try {
      await bench.timed(0, verified)
      bench.engine.fault = 'answers 500'
      await fastClock.sleep(5000)
      const from = bench.rig.log.length
      const before = await bench.scores()
      await bench.timed(from, verified)
      await fastClock.sleep(5000)
      expect(await bench.scores()).not.toEqual(before)
    } finally {
      await bench.close()
    }
  })
})

/** Accepts what it cannot verify, as 4.4.1 treated a verifier's non-200 response as a result. */
function swallowing(engine: ReferenceEngine): ReferenceEngine {
  return {
    model: engine.model,
    get facts() {
      return engine.facts
    },
    unreadyReason: undefined,
    generate: (...call) => engine.generate(...call),
    tokenizeChat: async (...call) => engine.tokenizeChat(...call).catch(() => [1, 2, 3]),
    tokenizeText: async (...call) => engine.tokenizeText(...call).catch(() => [1, 2, 3]),
    detokenize: async (ids, signal) =>
      engine.detokenize(ids, signal).catch(() => ids.map((id) => ` w${id}`).join('')),
    score: async (request, signal) =>
      engine.score(request, signal).catch(() => ({
        positions: request.output.map((id) => new Map([[id, { logprob: -0.1, rank: 1 }]])),
        next: new Map([[7, { logprob: -0.1, rank: 1 }]]),
      })),
  }
}
