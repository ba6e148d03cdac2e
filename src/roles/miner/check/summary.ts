import type { Sample } from './samples.js'
import type { ModelCheck } from './types.js'
import type { Weighed } from './weigh.js'

/** The numbers of a check of one model. */
export function summarize(
  samples: readonly Sample[],
  weighed: Weighed | undefined,
): Omit<ModelCheck, 'model' | 'comparedWith' | 'findings'> {
  const count = (kind: string) => samples.filter(({ verdict }) => verdict.kind === kind).length
  const whole = samples.map(({ answer }) => answer).filter(({ tokens, fault }) => tokens.length > 0 && !fault)
  return {
    answers: { verified: count('verified'), failed: count('failed'), notJudged: count('inconclusive') },
    tokens: samples.reduce((sum, { answer }) => sum + answer.tokens.length, 0),
    firstTokenMs: medianOf(whole.map(({ timing }) => timing.timeToFirstTokenMs)) ?? null,
    tokensPerSecond: medianOf(whole.map(({ tokensPerSecond }) => tokensPerSecond)) ?? null,
    dialect: weighed?.standing.dialect ?? null,
    residual: weighed === undefined || weighed.noise.stated === 0 ? null : weighed.noise.residual,
    evidence: weighed?.standing.sentence ?? null,
  }
}

/** The middle value; undefined of none. */
export function medianOf(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}
