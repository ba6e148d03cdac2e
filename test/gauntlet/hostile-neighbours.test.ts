import pino from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type AskThread,
  createAskThread,
  createMinerAgent,
  prepareRequest,
  sendPrepared,
} from '../../src/inference/index.js'
import { type Clock, systemClock } from '../../src/kernel/clock.js'
import { createRandom } from '../../src/prompts/index.js'
import { createTopic } from '../../src/roles/role.js'
import type { NotServing } from '../../src/roles/validator/rounds/index.js'
import { judgeStream } from '../../src/roles/validator/rounds/judge.js'
import type { RoundPorts, RoundResult } from '../../src/roles/validator/rounds/round.js'
import { RoundLoop } from '../../src/roles/validator/rounds/round-loop.js'
import { createVerdictCounts, type Settled, scoreResults } from '../../src/roles/validator/scores/index.js'
import { ScoreBook } from '../../src/scoring/index.js'
import type { Signer } from '../../src/wallet/index.js'
import {
  completionRequest,
  createRoundEvents,
  servingMiners,
  viewOf,
} from '../roles/validator/rounds/round-parts.js'
import {
  createRigContext,
  createRigEngine,
  defaultSettings,
  MODEL,
} from '../roles/validator/validator-rig.js'
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
  readTruth,
  type StreamUpstream,
  startStreamUpstream,
  type UpstreamMode,
} from '../support/stream-upstream.js'
import { GAUNTLET_SCALE, scaled } from './scale.js'
import { startTally } from './tally.js'

/** No bytes of a miner change verdict, time or score of another one, and a stream held open is worth its own speed. */

const LIMITS = { firstTokenMs: 3000, gapMs: 3000, totalMs: 9000 }
const silent = pino({ level: 'silent' })
/** As in a running validator: the fault of a stream is its verdict, and honest tokens are verified. */
const verify: RoundPorts['verify'] = async (_engine, _request, { fault }) =>
  fault && fault.cause !== 'aborted'
    ? { kind: 'failed', cause: fault.cause, detail: fault.detail }
    : { kind: 'verified' }

let signer: Signer
beforeAll(async () => {
  signer = await hotkeyOf(1)
})

function prepare(url: string, model: string, maxTokens = 500) {
  const request = { endpoint: 'chat', model, temperature: 0, maxTokens, messages: [] } as const
  return prepareRequest(request, { url, hotkey: signer.address }, { signer, clock: systemClock })
}

describe('bytes of a miner', () => {
  let thread: AskThread
  let honest: StreamUpstream
  let hostile: StreamUpstream
  beforeAll(async () => {
    thread = createAskThread(silent)
    await thread.ready()
    honest = await startStreamUpstream()
    hostile = await startStreamUpstream()
  })
  afterAll(async () => {
    await Promise.all([thread?.close(), honest?.close(), hostile?.close()])
  })

  const BYSTANDERS = 12

  /** One round of bystanders beside so many miners of one kind. @returns verdicts on all, and how far times and score of the bystanders are from the truth. */
  async function play(kind: UpstreamMode, count: number) {
    const modes = [
      ...new Array<UpstreamMode>(count).fill(kind),
      ...new Array<UpstreamMode>(BYSTANDERS).fill('even'),
    ]
    const book = new ScoreBook()
    const prepared = modes.map((mode) => prepare(mode === 'even' ? honest.url : hostile.url, mode))
    const answers = await Promise.all(prepared.map((one) => thread.send(one, { limits: LIMITS })))
    const judged = await Promise.all(
      answers.map(async (answer, index) => {
        const received = {
          engine: createRigEngine(),
          request: completionRequest(500),
          answer,
          stallMs: answer.stallMs ?? 0,
        }
        const { signal } = new AbortController()
        const { verdict } = await judgeStream(received, undefined, { verify, stallLimitMs: 50 }, signal)
        return { mode: modes[index], answer, verdict }
      }),
    )
    const bystanders = judged
      .filter(({ mode }) => mode === 'even')
      .map(({ answer, verdict }) => ({ answer, verdict }))
    for (const { answer } of bystanders) {
      book.record('measured', MODEL, answer.tokensPerSecond, 1)
      book.record('true', MODEL, (answer.tokens.length * 1000) / readTruth(answer.text), 1)
    }
    const scoreOf = (hotkey: string) => book.score(hotkey, [MODEL], new Set([MODEL]), 'proportional')
    return {
      verdicts: bystanders.map(({ verdict }) => verdict.kind),
      hostile: judged.filter(({ mode }) => mode !== 'even').map(({ verdict }) => verdict.kind),
      errors: bystanders.map(({ answer }) => answer.timing.totalMs / readTruth(answer.text) - 1),
      score: scoreOf('measured') / scoreOf('true'),
    }
  }

  test.for(HOSTILE_STREAMS)(
    'of kind %s change neither verdict nor time nor score of twelve others',
    { timeout: 60_000 },
    async (kind, { task }) => {
      const tally = startTally(task, { fault: 'F33', kind: 'hostile streams beside twelve others', full: 12 })
      await play('even', 0)
      // The wall clock of a busy machine is noisy, now and then; what a miner does to others shows every time.
      const most = GAUNTLET_SCALE === 1 ? 0.02 : 0.15
      let error = Number.POSITIVE_INFINITY
      for (let turn = 0; turn < 3 && error > most; turn++) {
        const { verdicts, hostile: others, errors, score } = await play(kind, scaled(12, 3))
        expect(new Set(others)).toEqual(new Set(['failed']))
        expect(verdicts).toEqual(new Array(BYSTANDERS).fill('verified'))
        const middle = errors.sort((a, b) => a - b)[BYSTANDERS / 2] ?? Number.NaN
        error = Math.max(Math.abs(middle), Math.abs(score - 1) / 2)
      }
      expect(error).toBeLessThanOrEqual(most)
      tally.count = scaled(tally.full, 3)
    },
  )
})

describe('a stream that is held open', () => {
  const MAX_TOKENS = 100
  const miners = 8
  const [HOLDER, SLOW] = [1, 2]
  let server: StreamServer
  const dispatcher = createMinerAgent()
  beforeAll(async () => {
    server = await startStreamServer((response, { headers }) => {
      const kind = String(headers['x-targon-model'])
      const [gapMs, tokens] = kind === 'hold' ? [430, 1000] : kind === 'slow' ? [75, 60] : [8, 60]
      startEvents(response)
      let sent = 0
      const timer = setInterval(() => {
        response.write(event(chatChunk('a ', ++sent)))
        if (sent < tokens) return
        clearInterval(timer)
        response.end(DONE)
      }, gapMs)
      response.on('close', () => clearInterval(timer))
    })
  })
  afterAll(async () => {
    await dispatcher.destroy()
    await server?.close()
  })

  /** Sleeps take a tenth of their time: a soft deadline of 10 s takes one second. Streams are timed by the real clock. */
  const tenfold: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / 10, signal) }

  test('is worth its own speed to its miner within a window, and costs slow and fast honest miners nothing', async ({
    task,
  }) => {
    const tally = startTally(task, {
      fault: 'F33',
      kind: 'streams held open for a window of rounds',
      full: 1,
    })
    const stop = new AbortController()
    const view = viewOf(servingMiners(miners))
    const book = new ScoreBook()
    const events = {
      ...createRoundEvents(),
      missed: createTopic<NotServing>(),
      settled: createTopic<Settled>(),
    }
    const context = {
      ...createRigContext({ clock: tenfold, signal: stop.signal, view, signer }),
      subtensor: { clockOffsetMs: 0 },
      settings: defaultSettings({ 'round.size': 37, 'round.pause': 0 }),
    }
    scoreResults(context as unknown as Parameters<typeof scoreResults>[0], {
      ...{ book, verdicts: createVerdictCounts(), events },
    })
    const results: RoundResult[] = []
    events.result.subscribe((result) => results.push(result))
    for (let uid = 1; uid <= miners; uid++)
      for (let result = 0; result < 15; result++)
        book.record(`5Miner${uid}`, MODEL, uid === SLOW ? 12 : 100, 1)
    const loop = new RoundLoop(context, {
      ...{ random: createRandom('held'), events },
      ports: {
        clock: tenfold,
        prompts: async () => () => completionRequest(MAX_TOKENS),
        prepare: (_, { uid }) => {
          const prepared = prepare(
            server.url,
            uid === HOLDER ? 'hold' : uid === SLOW ? 'slow' : 'fast',
            MAX_TOKENS,
          )
          return (signal, onProgress) =>
            sendPrepared(prepared, { clock: systemClock, dispatcher, limits: LIMITS, signal, onProgress })
        },
        verify,
        ...{ stallSince: () => 0, stallLimitMs: 5000 },
      },
      hooks: { saveScores: async () => {}, recover: async () => {}, enterPhase: () => {} },
    })
    const scoreOf = (uid: number) => book.score(`5Miner${uid}`, [MODEL], new Set([MODEL]), 'proportional')
    let lowest = Number.POSITIVE_INFINITY
    const watch = setInterval(() => {
      lowest = Math.min(lowest, scoreOf(SLOW))
    }, 50)
    await expect.poll(() => scoreOf(HOLDER), { timeout: 40_000, interval: 20 }).toBeLessThan(3)
    clearInterval(watch)
    stop.abort()
    await loop.done
    expect(loop.started).toBeLessThan(25)
    expect(lowest).toBeGreaterThan(11)
    for (let uid = 3; uid <= miners; uid++) expect(scoreOf(uid)).toBeGreaterThan(50)
    const others = results.filter(({ miner, verdict }) => miner.uid !== HOLDER && verdict.kind === 'failed')
    expect(others).toEqual([])
    tally.count = 1
  }, 60_000)
})
