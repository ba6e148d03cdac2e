import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/kernel/clock.js'
import { createRandom } from '../../src/prompts/index.js'
import { scoresByUid } from '../../src/roles/validator/epochs/weights-job.js'
import { type RoundResult, startRound } from '../../src/roles/validator/rounds/round.js'
import { planRound, type RoundPlan } from '../../src/roles/validator/rounds/round-plan.js'
import { openScoreFile, ScoreBook, weightsFrom } from '../../src/scoring/index.js'
import {
  answerOf,
  completionRequest,
  planOf,
  servingMiners,
  viewOf,
} from '../../test/roles/validator/rounds/round-parts.js'
import { createRigEngine } from '../../test/roles/validator/validator-rig.js'
import { type Bench, median, type Row } from '../row.js'
import { SCALE, scaleRows } from '../validator/scale.js'

const MODELS = ['org/a', 'org/b', 'org/c']
const SAVES = 15
const ROUNDS = 5
const ANSWER_MS = 300
const COST_ROUNDS = 40
/** The maximum of --round.size. */
const LARGEST_ROUND = 256

export const bench: Bench = {
  name: 'validator',
  summary:
    'saving the scores of 256 miners, round overhead, cost per miner, and one epoch before 64, 256 and 1,024 miners',
  async run(selection): Promise<Row[]> {
    return [
      ...(selection.includes('snapshot') ? await measureSnapshot() : []),
      ...(selection.includes('rounds') ? [await measureRound(37), await measureRound(256)] : []),
      ...(selection.includes('growth') ? [await measureGrowth()] : []),
      ...(selection.includes(SCALE) ? await scaleRows(selection) : []),
    ]
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
      { name: 'durable score snapshot, 256 miners × 3 models', value: median(saves), unit: 'ms' },
      { name: 'of which it blocks the event loop', value: median(blocked), unit: 'ms' },
    ]
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** All miners answer after the same time; the rest of the round is our overhead. */
async function measureRound(size: number): Promise<Row> {
  const overheads: number[] = []
  for (let index = 0; index < ROUNDS; index++) {
    const start = performance.now()
    await playRound(planOf(servingMiners(size)), index, () => {})
    overheads.push(performance.now() - start - ANSWER_MS)
  }
  return {
    name: `round of ${size} miners, time beyond the slowest miner`,
    value: median(overheads),
    unit: 'ms',
  }
}

async function playRound(
  plan: RoundPlan,
  number: number,
  onResult: (result: RoundResult) => void,
  answerMs = ANSWER_MS,
): Promise<void> {
  const answer = answerOf()
  const round = await startRound(
    plan,
    { round: number, block: 1, judgeAt: new Promise(() => {}), onResult },
    {
      clock: systemClock,
      prompts: async () => () => completionRequest(8),
      prepare: () => async () => {
        if (answerMs > 0) await systemClock.sleep(answerMs)
        return answer
      },
      verify: async () => ({ kind: 'verified' }),
      stallSince: () => 0,
      stallLimitMs: 50,
    },
    new AbortController().signal,
  )
  await round.done
}

const explainEngine = () => ({ reason: 'none' })

/** Enough rounds to query every miner once: planning, rounds, scores, weights and encoding the score book. */
async function costPerMiner(miners: number): Promise<number> {
  const view = viewOf(servingMiners(miners))
  const engine = createRigEngine()
  const book = new ScoreBook()
  const random = createRandom('bench')
  const size = Math.min(miners, LARGEST_ROUND)
  const costs: number[] = []
  for (let index = 0; index < COST_ROUNDS; index++) {
    const record = ({ miner, request, answer }: RoundResult) =>
      book.record(miner.hotkey, request.model, answer.tokensPerSecond, index)
    const before = process.cpuUsage()
    for (let round = 0; round < miners / size; round++) {
      const rules = { models: 'random', size, round, isBusy: () => false, explainEngine } as const
      const plan = planRound(view, [engine], rules, random.fork(`${index}/${round}`))
      if (plan.kind !== 'round') throw new Error(plan.reason)
      await playRound(plan, index, record, 0)
    }
    weightsFrom(scoresByUid(view, book, 'proportional'), 'proportional')
    JSON.stringify(book.toData())
    const { user, system } = process.cpuUsage(before)
    costs.push((user + system) / miners)
  }
  return median(costs.slice(costs.length / 2))
}

async function measureGrowth(): Promise<Row> {
  await costPerMiner(1024)
  const [few, many] = [await costPerMiner(64), await costPerMiner(1024)]
  const ratio = many / few
  return {
    name: 'cost per miner with 1,024 miners: one query, score and weight',
    value: many,
    unit: 'CPU µs',
    ratio: { to: 'cost per miner with 64 miners', value: ratio },
    goal: {
      must: '≤ 1.5 × (flat)',
      firstClass: '≤ 1 ×',
      reached: ratio <= 1 ? 'first class' : ratio <= 1.5 ? 'must' : 'missed',
    },
  }
}
