import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/clock.js'
import { startRound } from '../../src/roles/validator/round.js'
import { openScoreFile, ScoreBook } from '../../src/scoring/index.js'
import { neuronOf } from '../../test/support/fake-subtensor.js'
import { type Bench, median, type Row } from '../row.js'

const MODELS = ['org/a', 'org/b', 'org/c']
const SAVES = 15
const ROUNDS = 5
const ANSWER_MS = 300

/** The validator's own cost: saving scores, and what a round takes beyond its slowest miner. */
export const bench: Bench = {
  name: 'validator',
  summary: 'score snapshot of 256 miners, wall time of a round beyond the slowest miner',
  async run(): Promise<Row[]> {
    return [...(await measureSnapshot()), await measureRound(37), await measureRound(256)]
  },
}

function fullBook(miners: number): ScoreBook {
  const book = new ScoreBook()
  for (let miner = 0; miner < miners; miner++)
    for (const model of MODELS)
      for (let result = 0; result < 15; result++)
        book.record(`5Miner${miner}`, model, 50 + Math.random(), 100)
  return book
}

async function measureSnapshot(): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'targon-bench-'))
  try {
    const file = openScoreFile(join(folder, 'cache.json'))
    const book = fullBook(256)
    const saves: number[] = []
    const blocked: number[] = []
    for (let index = 0; index < SAVES; index++) {
      const start = performance.now()
      const saving = file.save(book.toData())
      blocked.push(performance.now() - start)
      await saving
      saves.push(performance.now() - start)
    }
    return [
      { name: 'score snapshot, 256 miners × 3 models, durable', value: median(saves), unit: 'ms' },
      { name: 'of that on the event loop', value: median(blocked), unit: 'ms' },
    ]
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Miners that all answer after the same time, so whatever is beyond it is ours. */
async function measureRound(size: number): Promise<Row> {
  const axon = { ip: '1.1.1.1', port: 1, ipType: 4, protocol: 4, version: 1, block: 1 } as const
  const miners = Array.from({ length: size }, (_, uid) => ({
    ...neuronOf({ uid, hotkey: `5Miner${uid}` }),
    axon,
  }))
  const answer = {
    ...{
      tokens: [],
      text: '',
      finishReason: 'length',
      status: 200,
      fault: undefined,
      chunks: 0,
      lostTokens: false,
    },
    ...{
      tokensPerSecond: 1,
      burstShare: 0,
      timing: { timeToFirstTokenMs: 1, timeForAllTokensMs: 1, totalMs: 1 },
    },
  }
  const engine = {
    ...{ model: 'org/a', facts: undefined, unreadyReason: undefined },
    ...{
      tokenizeChat: async () => [],
      tokenizeText: async () => [],
      detokenize: async () => '',
      generate: async () => '',
    },
    score: async () => ({ positions: [], next: new Map() }),
  }
  const overheads: number[] = []
  for (let index = 0; index < ROUNDS; index++) {
    const start = performance.now()
    const round = await startRound(
      { kind: 'round', model: 'org/a', endpoint: 'chat', engine, miners, notServing: [] },
      index,
      1,
      {
        clock: systemClock,
        prompts: async () => () => ({
          model: 'org/a',
          endpoint: 'chat',
          messages: [],
          temperature: 0,
          maxTokens: 8,
        }),
        prepare: () => async () => {
          await systemClock.sleep(ANSWER_MS)
          return answer
        },
        verify: async () => ({ kind: 'verified' }),
        stallSince: () => 0,
        stallLimitMs: 50,
        onResult: () => {},
      },
      new Promise(() => {}),
      new AbortController().signal,
    )
    await round.done
    overheads.push(performance.now() - start - ANSWER_MS)
  }
  return { name: `round of ${size}: beyond the slowest miner`, value: median(overheads), unit: 'ms' }
}
