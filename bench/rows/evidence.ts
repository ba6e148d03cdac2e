import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { DEFAULT_FLOORS, DIALECTS, EvidenceBook, noiseLevels, observe } from '../../src/evidence/index.js'
import { prepareAnswer } from '../../src/evidence/prepared-answer.js'
import { seedWords } from '../../src/evidence/samplers/index.js'
import { observeSeeded } from '../../src/evidence/statistics/index.js'
import { openEvidenceFile } from '../../src/roles/validator/evidence/evidence-file.js'
import { openScoreFile, ScoreBook } from '../../src/scoring/index.js'
import { judgeStrict } from '../../src/verification/index.js'
import { honestComparison } from '../../test/support/answer-comparison.js'
import { createSimulator } from '../../test/support/evidence-simulation/index.js'
import { type Bench, median, type Row } from '../row.js'

const TOKENS = 1_000
const WARM_UP = 100
const RUNS = 100
const MINERS = 1_000
const MODELS = ['org/a', 'org/b', 'org/c']
const ANSWERS = 10
const RULES = { threshold: 1e11, cleanAnswers: 100 }
const LEVELS = noiseLevels({ logitScale: 0.03, residual: 0.02, unexplained: 0 }, DEFAULT_FLOORS)

export const bench: Bench = {
  name: 'evidence',
  summary: `evidence of a ${TOKENS}-token answer against its verdict, and the state of ${MINERS} miners × ${MODELS.length} models`,
  run: async ({ rounds, includes }): Promise<Row[]> => [
    ...(includes('answer') ? measureAnswer(rounds) : []),
    ...(includes('state') ? await measureState(rounds) : []),
  ],
}

/** CPU times of one run, so that ratios hold on a busy machine. */
function measureAnswer(rounds: number): Row[] {
  const comparison = honestComparison('bench', { tokens: TOKENS })
  const json = JSON.stringify(comparison.reference.positions.map((position) => Object.fromEntries(position)))
  const simulator = createSimulator(1)
  const parseMs = medianCpu(rounds, () => JSON.parse(json))
  const verdictMs = medianCpu(rounds, () => judgeStrict(comparison))
  const rows: Row[] = [
    { name: `strict verdict on an answer of ${TOKENS} tokens (CPU)`, value: verdictMs, unit: 'ms' },
    { name: 'JSON.parse of its reference (CPU)', value: parseMs, unit: 'ms' },
  ]
  for (const dialect of DIALECTS) {
    const answer = simulator.answer({ server: { noise: 0.03, dialect }, temperature: 0.8, tokens: TOKENS })
    const allMs = medianCpu(rounds, () => observe(answer, LEVELS, dialect))
    const words = seedWords(answer.seed ?? 0)
    const seededMs = medianCpu(rounds, () => observeSeeded(prepareAnswer(answer), LEVELS, words, dialect))
    rows.push(
      {
        name: `evidence of the answer, ${dialect} (CPU)`,
        value: allMs,
        unit: 'ms',
        ratio: { to: 'its strict verdict', value: allMs / verdictMs },
      },
      {
        name: `of which S, ${dialect} (CPU)`,
        value: seededMs,
        unit: 'ms',
        ratio: { to: 'JSON.parse of its reference', value: seededMs / parseMs },
        goal: { must: '≤ 1 × parsing', reached: seededMs <= parseMs ? 'must' : 'missed' },
      },
    )
  }
  return rows
}

async function measureState(rounds: number): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'targon-bench-'))
  try {
    const log = pino({ enabled: false })
    const [evidencePath, scorePath] = [join(folder, 'evidence.json'), join(folder, 'cache.json')]
    const evidence = openEvidenceFile(evidencePath, log)
    await evidence.save({ book: fullEvidence().toData(), levels: MODELS.map((model) => [model, LEVELS]) })
    await openScoreFile(scorePath).save(fullScores().toData())
    const [loads, scoreLoads]: [number[], number[]] = [[], []]
    for (let round = 0; round < rounds; round++) {
      scoreLoads.push(await timeOf(() => openScoreFile(scorePath).load()))
      loads.push(await timeOf(async () => EvidenceBook.from((await evidence.load()).book, RULES)))
    }
    const [loadMs, scoreMs] = [median(loads), median(scoreLoads)]
    const [{ size }, { size: scoreSize }] = await Promise.all([stat(evidencePath), stat(scorePath)])
    const perByte = loadMs / size / (scoreMs / scoreSize)
    const pairs = MINERS * MODELS.length
    return [
      {
        name: `state of the evidence, ${MINERS} miners × ${MODELS.length} models`,
        value: size / 1e6,
        unit: 'MB',
      },
      { name: 'state per miner and model', value: size / pairs, unit: 'bytes' },
      {
        name: 'state read at a restart',
        value: loadMs,
        unit: 'ms',
        ratio: { to: 'reading the scores of the same miners', value: loadMs / scoreMs },
      },
      {
        name: 'reading a byte of it',
        value: (1e6 * loadMs) / size,
        unit: 'ns',
        ratio: { to: 'reading a byte of the scores', value: perByte },
        goal: { must: '≤ 2 × the scores', reached: perByte <= 2 ? 'must' : 'missed' },
      },
    ]
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Every pair has weighed greedy and sampled answers. */
function fullEvidence(): EvidenceBook {
  const simulator = createSimulator(2)
  const server = { noise: 0.05, dialect: 'murmur3' } as const
  const observations = Array.from({ length: ANSWERS }, (_, index) =>
    observe(
      simulator.answer({ server, temperature: index % 5 === 0 ? 0 : 0.8, tokens: 200 }),
      LEVELS,
      'murmur3',
    ),
  )
  const book = new EvidenceBook(RULES)
  for (let miner = 0; miner < MINERS; miner++)
    for (const model of MODELS)
      for (const [at, observation] of observations.entries())
        book.record(hotkeyOf(miner), model, observation, at)
  return book
}

function fullScores(): ScoreBook {
  const book = new ScoreBook()
  for (let miner = 0; miner < MINERS; miner++)
    for (const model of MODELS)
      for (let result = 0; result < 15; result++) book.record(hotkeyOf(miner), model, 50 + result / 7, 100)
  return book
}

/** As long as a real one. */
function hotkeyOf(miner: number): string {
  return `5${String(miner).padStart(47, 'F')}`
}

/** CPU time per run after a warm-up, the median of several rounds. */
function medianCpu(rounds: number, work: () => unknown): number {
  for (let run = 0; run < WARM_UP; run++) work()
  return median(
    Array.from({ length: rounds }, () => {
      const before = process.cpuUsage()
      for (let run = 0; run < RUNS; run++) work()
      const { user, system } = process.cpuUsage(before)
      return (user + system) / 1000 / RUNS
    }),
  )
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}
