import { afterAll, beforeAll, expect, test } from 'vitest'
import { createMinerAgent, prepareRequest, sendPrepared } from '../../src/inference/index.js'
import { type Clock, systemClock } from '../../src/kernel/clock.js'
import { createRandom } from '../../src/prompts/index.js'
import type { RoundResult } from '../../src/roles/validator/rounds/round.js'
import { RoundLoop, softDeadlineMs } from '../../src/roles/validator/rounds/round-loop.js'
import type { Signer } from '../../src/wallet/index.js'
import {
  completionRequest,
  createRoundEvents,
  servingMiners,
  viewOf,
} from '../roles/validator/rounds/round-parts.js'
import { createRigContext, defaultSettings } from '../roles/validator/validator-rig.js'
import { hotkeyOf } from '../support/hotkeys.js'
import {
  chatChunk,
  DONE,
  event,
  type StreamServer,
  startEvents,
  startStreamServer,
} from '../support/stream-server.js'
import {
  HOSTILE_STREAMS,
  type StreamUpstream,
  startStreamUpstream,
  type UpstreamMode,
} from '../support/stream-upstream.js'
import { GAUNTLET_SCALE } from './scale.js'
import { startTally } from './tally.js'

/** F10: however many of 36 miners are hostile, and in whatever way, rounds continue and honest miners are scored. */

const MINERS = 36
const MAX_TOKENS = 500
/** A tenth of the soft deadline for this many tokens, which is 30 s, and 9 s for the hard cap. */
const SOFT_MS = softDeadlineMs(MAX_TOKENS) / 10
const HARD_MS = 9000
/** Long enough for streams to stay silent beyond the soft deadline or to drip until the hard cap. */
const LIMITS = { firstTokenMs: 6000, gapMs: 6000, totalMs: HARD_MS }
/** One second in a full run; more where miners, validator and other tests share two cores. */
const SLACK_MS = GAUNTLET_SCALE === 1 ? 1000 : 4000

type Kind = UpstreamMode | 'drip' | 'slow-honest'
const HOSTILE: readonly Kind[] = [...HOSTILE_STREAMS, 'drip']

let signer: Signer
let upstream: StreamUpstream
let slow: StreamServer
const dispatcher = createMinerAgent()

beforeAll(async () => {
  signer = await hotkeyOf(1)
  upstream = await startStreamUpstream()
  slow = await startStreamServer((response, { headers }) => {
    const isDrip = headers['x-targon-model'] === 'drip'
    startEvents(response)
    let sent = 0
    const timer = setInterval(
      () => {
        response.write(event(chatChunk('a ', ++sent)))
        if (isDrip || sent < 60) return
        clearInterval(timer)
        response.end(DONE)
      },
      isDrip ? 500 : 75,
    )
    response.on('close', () => clearInterval(timer))
  })
})
afterAll(async () => {
  await dispatcher.destroy()
  await Promise.all([upstream?.close(), slow?.close()])
})

interface Played {
  /** From the start of the round to the start of the next one. */
  readonly nextMs: number
  readonly results: readonly (RoundResult & { readonly kind: Kind; readonly afterMs: number })[]
}

/** Runs one round of the real loop with 36 miners of these kinds, until every answer has a verdict. */
async function playRound(kinds: readonly Kind[], loopClock: Clock): Promise<Played> {
  const stop = new AbortController()
  const miners = servingMiners(MINERS)
  const results: Played['results'][number][] = []
  const startedAt = systemClock.monotonic()
  let onNext: (ms: number) => void = () => {}
  const next = new Promise<number>((resolve) => {
    onNext = resolve
  })
  let onAllVerdicts: () => void = () => {}
  const allVerdicts = new Promise<void>((resolve) => {
    onAllVerdicts = resolve
  })
  const kindOf = (uid: number): Kind => kinds[uid - 1] ?? 'even'
  const events = createRoundEvents()
  events.result.subscribe((result) => {
    const afterMs = systemClock.monotonic() - startedAt
    results.push({ ...result, kind: kindOf(result.miner.uid), afterMs })
    if (results.length === MINERS) onAllVerdicts()
  })
  const loop = new RoundLoop(
    {
      ...createRigContext({ clock: loopClock, signal: stop.signal, view: viewOf(miners) }),
      settings: defaultSettings({ 'round.size': 37, 'round.models': 'random', 'round.pause': 0 }),
      subtensor: { clockOffsetMs: 0 },
    },
    {
      random: createRandom('hostile'),
      events,
      ports: {
        clock: loopClock,
        prompts: async (_, round) => {
          if (round > 0) {
            onNext(systemClock.monotonic() - startedAt)
            throw new Error('one round is enough')
          }
          return () => completionRequest(MAX_TOKENS)
        },
        prepare: (_, { uid }) => {
          const kind = kindOf(uid)
          const isSlow = kind === 'drip' || kind === 'slow-honest'
          const prepared = prepareRequest(
            { endpoint: 'chat', model: kind, temperature: 0, maxTokens: MAX_TOKENS, messages: [] },
            { url: isSlow ? slow.url : upstream.url, hotkey: signer.address },
            { signer, clock: systemClock },
          )
          return (signal) =>
            sendPrepared(prepared, { clock: systemClock, dispatcher, limits: LIMITS, signal })
        },
        verify: async (_engine, _request, { fault }) =>
          fault && fault.cause !== 'aborted'
            ? { kind: 'failed', cause: fault.cause, detail: fault.detail }
            : { kind: 'verified' },
        stallSince: () => 0,
        stallLimitMs: 5000,
      },
      hooks: {
        saveScores: async () => {},
        recover: async () => onNext(systemClock.monotonic() - startedAt),
        enterPhase: () => {},
      },
    },
  )
  const nextMs = await next
  await allVerdicts
  stop.abort()
  await loop.done
  return { nextMs, results }
}

/** Sleeps take a tenth of their time (a soft deadline of 30 s takes 3 s); measured durations are real. */
const tenfold: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(ms / 10, signal),
}

function mixed(hostile: number, of: readonly Kind[]): Kind[] {
  const kinds = Array.from({ length: hostile }, (_, index) => of[index % of.length] ?? 'even')
  // two of the honest miners are slow and finish between the soft deadline and the hard cap
  const honest = Array.from(
    { length: MINERS - hostile },
    (_, index): Kind => (index < 2 ? 'slow-honest' : 'even'),
  )
  return [...kinds, ...honest]
}

const rounds = [0, 13, 24, 36].map((hostile) => ({ name: 'all kinds', hostile, kinds: HOSTILE }))
const singleKinds = HOSTILE.flatMap((kind) =>
  [12, 24, 36].map((hostile) => ({ name: kind, hostile, kinds: [kind] })),
)

const check = GAUNTLET_SCALE === 1 ? test : test.concurrent

check.for([...rounds, ...(GAUNTLET_SCALE === 1 ? singleKinds : [])])(
  'with $hostile of 36 hostile ($name) the next round starts on time, no answer outlives the hard cap, and all honest miners are scored',
  { timeout: 60_000 },
  async ({ hostile, kinds }, { task }) => {
    const tally = startTally(task, {
      fault: 'F10',
      kind: `rounds with ${hostile} of 36 miners hostile`,
      full: 1,
    })
    const { nextMs, results } = await playRound(mixed(hostile, kinds), tenfold)
    expect(nextMs).toBeLessThan(SOFT_MS + SLACK_MS)
    for (const { afterMs } of results) expect(afterMs).toBeLessThan(HARD_MS + SLACK_MS)
    const verdicts = results.map(({ kind, verdict }) => [kind, verdict.kind])
    for (const [kind, verdict] of verdicts)
      expect([kind, verdict]).toEqual([
        kind,
        kind === 'even' || kind === 'slow-honest' ? 'verified' : 'failed',
      ])
    expect(verdicts.filter(([, verdict]) => verdict === 'verified')).toHaveLength(MINERS - hostile)
    tally.count = 1
  },
)

check(
  'control: without a soft deadline, as in 4.4.1, one dripping miner delays the next round until the hard cap',
  async () => {
    const patient: Clock = {
      ...tenfold,
      sleep: (ms, signal) => tenfold.sleep(ms === softDeadlineMs(MAX_TOKENS) ? 1e9 : ms, signal),
    }
    const { nextMs } = await playRound(mixed(1, ['drip']), patient)
    expect(nextMs).toBeGreaterThan(SOFT_MS + SLACK_MS)
  },
  60_000,
)
