import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type ComparedAnswer,
  DEFAULT_FLOORS,
  type Dialect,
  type MeasuredNoise,
  noiseLevels,
  observe,
  STATISTICS,
} from '../../src/evidence/index.js'
import type { Configuration } from './configurations.js'
import { OLD_VLLM_VERSION, VLLM_VERSION } from './environment.js'
import type { FieldAnswer } from './field.js'
import { type Finding, noiseOf, weigh } from './weigh.js'

const folder = fileURLToPath(new URL('../../bench/results/vllm/', import.meta.url))

/** Figures of one part of the suite, for the table in docs/evidence.md (scripts/evidence/real-vllm.ts). */
function writeResult(name: string, figures: object): void {
  mkdirSync(folder, { recursive: true })
  const result = { name, vllm: name.startsWith('v0') ? OLD_VLLM_VERSION : VLLM_VERSION, ...figures }
  const text = JSON.stringify(result, (_, value) => (typeof value === 'number' ? rounded(value) : value), 2)
  writeFileSync(join(folder, `${name}.json`), `${text}\n`)
  console.log(text)
}

function rounded(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(4))
}

/** Verdicts by kind and cause, and how far the stated log probabilities are from the reference where they are raw. */
function describeAnswers(answers: readonly FieldAnswer[]) {
  const verdicts: Record<string, number> = {}
  const distances: number[] = []
  let tokens = 0
  for (const { verdict, compared } of answers) {
    const { kind } = verdict
    const name = kind === 'failed' ? verdict.cause : kind === 'inconclusive' ? verdict.reason : kind
    verdicts[name] = (verdicts[name] ?? 0) + 1
    if (!compared) continue
    tokens += compared.tokenIds.length
    if (compared.claimedAt === 1)
      for (const [index, claimed] of compared.claimed.entries())
        distances.push(Math.abs(claimed - (compared.reference[index] ?? Number.NaN)))
  }
  const known = distances.filter(Number.isFinite).sort((a, b) => a - b)
  const mean = known.reduce((sum, distance) => sum + distance, 0) / known.length
  const claimed = known.length > 0 && {
    median: known[Math.floor(known.length / 2)] ?? 0,
    mean,
    p99: known[Math.floor(known.length * 0.99)] ?? 0,
  }
  return {
    answers: answers.length,
    compared: answers.filter(({ compared }) => compared).length,
    tokens,
    verdicts,
    ...(claimed && { claimed }),
  }
}

function describeFinding({ suspicion, alarm, alarms, standing }: Finding) {
  const { level, sentence, synchronised, unsynchronised, unknown, dialect } = standing
  return { suspicion, alarm, alarms, level, sentence, dialect, synchronised, unsynchronised, unknown }
}

function describeNoise({ logitScale, residual, unexplained, drawn, mismatches }: MeasuredNoise) {
  return { logitScale, residual, unexplained, drawn, mismatches }
}

function comparedOf(answers: readonly FieldAnswer[]): ComparedAnswer[] {
  return answers.flatMap(({ compared }) => compared ?? [])
}

/** Weighs by all statistics, by each alone, and by those that a miner whose log probabilities the true model wrote leaves. */
export function recordAnswers(
  { name, runner }: Configuration,
  answers: readonly FieldAnswer[],
  noise: MeasuredNoise,
) {
  const compared = comparedOf(answers)
  const finding = weigh(compared, noise)
  const alone = STATISTICS.map((one) => [one, describeFinding(weigh(compared, noise, [one]))] as const)
  const rescored = weigh(
    compared,
    noise,
    STATISTICS.filter((one) => one !== 'residual'),
  )
  const seeded = followDraws(compared)
  writeResult(name, {
    ...describeAnswers(answers),
    noise: describeNoise(noiseOf(compared)),
    calibration: describeNoise(noise),
    evidence: {
      all: describeFinding(finding),
      rescored: describeFinding(rescored),
      alone: Object.fromEntries(alone),
    },
    ...(runner === 'v2' && { seeded }),
  })
  return { finding, seeded }
}

/** How many tokens of one miner's answers, in order, are those that the seed of their request says. */
function followDraws(answers: readonly ComparedAnswer[]) {
  const levels = noiseLevels(undefined, DEFAULT_FLOORS)
  const synchrony: Record<string, number> = {}
  let dialect: Dialect | undefined
  let [tokens, mismatches] = [0, 0]
  for (const answer of answers) {
    const observation = observe(answer, levels, dialect)
    synchrony[observation.synchrony] = (synchrony[observation.synchrony] ?? 0) + 1
    if (observation.synchrony === 'yes') dialect = observation.dialect
    tokens += observation.statistics.seeded?.tokens ?? 0
    mismatches += observation.statistics.seeded?.sums[0] ?? 0
  }
  return { tokens, mismatches, synchrony, dialect }
}
