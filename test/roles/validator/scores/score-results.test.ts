import { describe, expect, test } from 'vitest'
import type { Answer, OutputToken, StreamProgress } from '../../../../src/inference/index.js'
import { createRandom } from '../../../../src/prompts/index.js'
import { createTopic } from '../../../../src/roles/role.js'
import type { NotServing, RoundResult } from '../../../../src/roles/validator/rounds/index.js'
import { RoundLoop } from '../../../../src/roles/validator/rounds/round-loop.js'
import {
  createVerdictCounts,
  type Settled,
  scoreResults,
} from '../../../../src/roles/validator/scores/index.js'
import type { ServingMiner } from '../../../../src/roles/validator/subnet/subnet-view.js'
import { ScoreBook } from '../../../../src/scoring/index.js'
import { ManualClock } from '../../../support/manual-clock.js'
import {
  answerOf,
  completionRequest,
  createRoundEvents,
  servingMiner,
  servingMiners,
  viewOf,
} from '../rounds/round-parts.js'
import { createRigContext, createRigEngine, defaultSettings, MODEL } from '../validator-rig.js'

const MAX_TOKENS = 500
const HARD_CAP_MS = 300_000
/** Soft deadline of a round for this many tokens. */
const SOFT_MS = 30_000

/** How a miner streams: one token every so many milliseconds, up to so many; garbage is what no model would write. */
interface Pace {
  readonly gapMs: number
  readonly tokens?: number
  readonly isGarbage?: boolean
}

const token = (isGarbage: boolean): OutputToken => ({
  text: ' w',
  tokenId: isGarbage ? -1 : 1,
  logprob: -0.1,
})

async function stream(
  clock: ManualClock,
  { gapMs, tokens = MAX_TOKENS, isGarbage = false }: Pace,
  signal: AbortSignal,
  onProgress: (progress: StreamProgress) => void,
): Promise<Answer> {
  const startedMs = clock.monotonic()
  let count = 0
  const end = (fault: Answer['fault']): Answer => {
    const totalMs = clock.monotonic() - startedMs
    const tokensPerSecond = fault ? 0 : (count / totalMs) * 1000
    const received = new Array<OutputToken>(count).fill(token(isGarbage))
    const timing = { timeToFirstTokenMs: gapMs, timeForAllTokensMs: totalMs - gapMs, totalMs }
    return answerOf({ tokens: received, tokensPerSecond, timing, fault, stallMs: 0 })
  }
  while (count < tokens) {
    if (clock.monotonic() - startedMs + gapMs > HARD_CAP_MS)
      return end({ cause: 'TIMEOUT', detail: 'not finished', timed: 'deadline' })
    try {
      await clock.sleep(gapMs, signal)
    } catch {
      return end({ cause: 'aborted', detail: 'cut' })
    }
    count++
    onProgress({ tokens: count, streamedMs: (count - 1) * gapMs })
  }
  return end(undefined)
}

function setup(paceOf: (miner: ServingMiner, model: string) => Pace, miners: number, models = [MODEL]) {
  const clock = new ManualClock()
  const stop = new AbortController()
  const view = viewOf(servingMiners(miners), models)
  const context = {
    ...createRigContext({ clock, signal: stop.signal, view }),
    settings: defaultSettings({ 'round.size': 37, 'round.models': 'in-turn', 'round.pause': 0 }),
    engines: () => models.map((model) => createRigEngine(model)),
    subtensor: { clockOffsetMs: 0 },
  }
  const book = new ScoreBook()
  const results: RoundResult[] = []
  const settled: Settled[] = []
  const events = {
    ...createRoundEvents(),
    missed: createTopic<NotServing>(),
    settled: createTopic<Settled>(),
  }
  scoreResults(context as unknown as Parameters<typeof scoreResults>[0], {
    ...{ book, verdicts: createVerdictCounts(), events },
  })
  events.result.subscribe((result) => results.push(result))
  events.settled.subscribe((event) => settled.push(event))
  const loop = new RoundLoop(context, {
    events,
    random: createRandom('held'),
    ports: {
      clock,
      prompts:
        async ({ model }) =>
        () => ({ ...completionRequest(MAX_TOKENS), model }),
      prepare:
        ({ model }, miner) =>
        (signal, onProgress = () => {}) =>
          stream(clock, paceOf(miner, model), signal, onProgress),
      verify: async (_engine, _request, { fault, tokens }) => {
        if (fault && fault.cause !== 'aborted') return { kind: 'failed', cause: fault.cause, detail: '' }
        return tokens.some(({ tokenId }) => tokenId === -1)
          ? { kind: 'failed', cause: 'UNLIKELY_TOKENS', detail: '' }
          : { kind: 'verified' }
      },
      stallSince: () => 0,
      stallLimitMs: 50,
    },
    hooks: { saveScores: async () => {}, recover: async () => {}, enterPhase: () => {} },
  })
  const scoreOf = (uid: number) => book.score(`5Miner${uid}`, models, new Set(models), 'proportional')
  const fill = (uid: number, speed: number, model = MODEL) => {
    for (let result = 0; result < 15; result++) book.record(`5Miner${uid}`, model, speed, 1)
  }
  const end = async () => {
    stop.abort()
    await loop.done
  }
  return { clock, loop, book, results, settled, scoreOf, fill, end }
}

const FAST: Pace = { gapMs: 10 }
const HOLDER = 1
const SLOW = 2

describe('a miner that keeps its stream open', () => {
  test('falls to what its stream is worth within the rounds of one window, while a slow honest one keeps its score', async () => {
    // 1 token in 4.3 s never finishes; 4 tokens/s take 125 s.
    const paces: Record<number, Pace> = { [HOLDER]: { gapMs: 4300 }, [SLOW]: { gapMs: 250 } }
    const { clock, loop, scoreOf, fill, end } = setup(({ uid }) => paces[uid] ?? FAST, 6)
    for (let uid = 1; uid <= 6; uid++) fill(uid, uid === SLOW ? 4 : 100)
    const worth = 4 * 0.98
    for (let atMs = 0; atMs < 270_000; atMs += 1000) {
      await clock.advance(1000)
      expect(scoreOf(SLOW)).toBeGreaterThan(worth)
      for (let uid = 3; uid <= 6; uid++) expect(scoreOf(uid)).toBeGreaterThan(95)
      if (atMs === SOFT_MS + 40_000) expect(scoreOf(HOLDER)).toBeLessThan(60)
      if (atMs >= SOFT_MS + 100_000) expect(scoreOf(HOLDER)).toBeLessThan(1)
    }
    expect(loop.started).toBeGreaterThan(20)
    await end()
  }, 60_000)

  test('gets the verified speed for the rounds it sat out, and can not keep its old score by finishing at last', async () => {
    const { clock, results, settled, scoreOf, fill, end } = setup(
      // 60 tokens at the pace of a drip, then done: verified, long before the hard cap.
      ({ uid }) => (uid === HOLDER ? { gapMs: 4000, tokens: 60 } : FAST),
      3,
    )
    fill(HOLDER, 100)
    await clock.advance(245_000)
    const own = results.filter(({ miner }) => miner.uid === HOLDER)
    expect(own.length).toBeGreaterThan(0)
    expect(settled.length).toBeGreaterThan(0)
    expect(scoreOf(HOLDER)).toBeLessThan(1)
    await end()
  }, 60_000)

  test('gets misses for them when its tokens turn out to be none of the model', async () => {
    // 4 tokens/s for 125 s, of which everybody else answers for more than fifteen rounds.
    const { clock, scoreOf, fill, results, settled, end } = setup(
      ({ uid }) => (uid === HOLDER ? { gapMs: 250, isGarbage: true } : FAST),
      3,
    )
    fill(HOLDER, 100)
    await clock.advance(124_000)
    expect(scoreOf(HOLDER)).toBeGreaterThan(3)
    await clock.advance(2000)
    const own = results.find(({ miner }) => miner.uid === HOLDER)
    expect(own?.verdict).toMatchObject({ cause: 'UNLIKELY_TOKENS' })
    expect(settled[0]?.added).toEqual(new Array(15).fill(null))
    expect(scoreOf(HOLDER)).toBe(0)
    await end()
  }, 60_000)

  test('is queried for its other models meanwhile', async () => {
    const other = 'org/other'
    const { clock, book, fill, end } = setup(
      ({ uid }, model) => (uid !== HOLDER ? FAST : model === MODEL ? { gapMs: 4300 } : { gapMs: 20 }),
      4,
      [MODEL, other],
    )
    fill(HOLDER, 100)
    fill(HOLDER, 100, other)
    await clock.advance(250_000)
    // 50 tokens/s, as it answers for this model now.
    expect(book.results('5Miner1', other).slice(-1)[0]).toBeCloseTo(50, 0)
    expect(book.score('5Miner1', [other], new Set([other]), 'proportional')).toBeLessThan(75)
    expect(book.score('5Miner1', [MODEL], new Set([MODEL]), 'proportional')).toBeLessThan(40)
    await end()
  }, 60_000)

  test('falls also when every miner keeps its stream open, or it alone serves the model', async () => {
    const { clock, scoreOf, fill, end } = setup(() => ({ gapMs: 4300 }), 2)
    for (const uid of [1, 2]) fill(uid, 100)
    await clock.advance(SOFT_MS + 150_000)
    for (const uid of [1, 2]) expect(scoreOf(uid)).toBeLessThan(1)
    await end()
  }, 60_000)
})

test('puts no speed of a verified answer into the window that is too short to measure one', () => {
  const book = new ScoreBook()
  const verdicts = createVerdictCounts()
  const events = {
    ...createRoundEvents(),
    missed: createTopic<NotServing>(),
    settled: createTopic<Settled>(),
  }
  const context = createRigContext({ view: viewOf([]) })
  scoreResults(context as unknown as Parameters<typeof scoreResults>[0], { book, verdicts, events })
  const miner = servingMiner(1)
  for (const verdict of [{ kind: 'verified' }, { kind: 'verified', hasNoSpeed: true }] as const)
    events.result.publish({
      ...{ round: 1, block: 100, at: 0, miner, request: completionRequest() },
      ...{ answer: answerOf({ tokensPerSecond: 40 }), stallMs: 0, verdict },
    })
  expect(book.results(miner.hotkey, MODEL)).toEqual([40])
  expect(verdicts.of(miner.hotkey).verified).toBe(2)
})

describe('answers that were not checked', () => {
  const fault = { cause: 'TIMEOUT', detail: 'late', timed: 'deadline' } as const
  const failed = { kind: 'failed', cause: 'UNLIKELY_TOKENS', detail: 'made up' } as const
  const late = { kind: 'failed', cause: 'TIMEOUT', detail: 'late' } as const
  const judged: readonly {
    readonly name: string
    readonly more: Pick<RoundResult, 'verdict'> & Partial<RoundResult>
    readonly window: readonly (number | null)[]
    readonly added: readonly (number | null)[]
  }[] = [
    {
      name: 'get the speed of the next verified answer',
      more: { verdict: { kind: 'verified' } },
      window: [40, 40, 40],
      added: [40, 40],
    },
    {
      name: 'become misses when its tokens fail',
      more: { verdict: failed },
      window: [null, null, null],
      added: [null, null],
    },
    {
      name: 'become misses when the tokens of a late answer fail',
      more: { verdict: late, soFar: failed, answer: answerOf({ fault }) },
      window: [null, null, null],
      added: [null, null],
    },
    {
      name: 'become misses when evidence accuses the miner',
      more: { verdict: { kind: 'failed', cause: 'EVIDENCE', detail: '4-bit weights' } },
      window: [null, null, null],
      added: [null, null],
    },
    {
      name: 'stay open after a fault of the connection',
      more: { verdict: late, answer: answerOf({ fault }) },
      window: [null],
      added: [],
    },
    {
      name: 'stay open after an error of the server',
      more: {
        verdict: { kind: 'failed', cause: 'BAD_STREAM', detail: '503' },
        answer: answerOf({ status: 503 }),
      },
      window: [null],
      added: [],
    },
    {
      name: 'stay open when the fault is ours',
      more: { verdict: { kind: 'inconclusive', reason: 'engine-unavailable', detail: 'down' } },
      window: [],
      added: [],
    },
  ]

  test.each(judged)('$name', ({ more, window, added }) => {
    const book = new ScoreBook()
    const events = {
      ...createRoundEvents(),
      missed: createTopic<NotServing>(),
      settled: createTopic<Settled>(),
    }
    const settled: Settled[] = []
    events.settled.subscribe((event) => settled.push(event))
    const context = createRigContext({ view: viewOf([]) })
    scoreResults(context as unknown as Parameters<typeof scoreResults>[0], {
      ...{ book, verdicts: createVerdictCounts(), events },
    })
    const miner = servingMiner(1)
    for (let answer = 0; answer < 2; answer++)
      events.unchecked.publish({ miner, model: MODEL, block: 99, tokensPerSecond: 9000 })
    expect(book.results(miner.hotkey, MODEL)).toEqual([])
    events.result.publish({
      ...{ round: 1, block: 100, at: 0, miner, request: completionRequest(), stallMs: 0 },
      ...{ answer: answerOf({ tokensPerSecond: 40 }), ...more },
    })
    expect(book.results(miner.hotkey, MODEL)).toEqual(window)
    expect(settled.flatMap((event) => event.added)).toEqual(added)
  })
})
