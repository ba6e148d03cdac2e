import type { Estimate } from './estimates.js'
import type { Statistic } from './observation.js'
import type { Standing } from './standing.js'

/** A standing in words that the operator of a miner understands. */
export function describeStanding(standing: Omit<Standing, 'sentence'>): string {
  const { level, bar, answers, relayed, tokens, leading, statistics } = standing
  const statistic = bar?.statistic ?? leading
  const estimate = statistic && statistics[statistic]?.estimate
  const finding = statistic && estimate ? describeEstimate(statistic, estimate) : undefined
  if (level === 'barred' && bar) {
    const detail = finding ? `${finding}; ` : ''
    return `The answers differ from the model by more than other hardware explains: ${detail}decided after ${count(bar.answers, 'answer')} and ${count(bar.tokens, 'token')}, ${count(bar.clean, 'clean answer')} since.`
  }
  if (level === 'suspected')
    return `The answers differ from the model by more than this validator’s own engines do${finding ? `: ${finding}` : ''}. This changes no score.${relayed > 0 ? ` A hub reported ${count(relayed, 'answer')} of ${count(answers, 'answer')}.` : ''}`
  if (answers === 0) return 'No answer has been weighed yet.'
  return `The answers fit the model: ${count(answers, 'answer')}, ${count(tokens, 'token')}${finding ? `; ${finding}` : ''}.`
}

/** What a statistic's estimate means. */
export function describeEstimate(statistic: Statistic, { value }: Estimate): string {
  switch (statistic) {
    case 'seeded':
    case 'greedy':
      return `tokens look like a model with ${value.toFixed(2)} nats of noise${noiseExample(value)}`
    case 'residual':
      return `stated log probabilities are off by ${value.toFixed(3)} nats on average${noiseExample(value)}`
    case 'temperature':
      return `tokens look sampled at ${value.toFixed(2)} times the temperature asked for`
    case 'surprise':
      return value >= 0
        ? `tokens are ${value.toFixed(3)} nats less likely than the model’s own, on average`
        : `tokens are ${(-value).toFixed(3)} nats more likely than the model’s own, on average`
  }
}

/** Typical causes by the noise they make (facts of public measurements: FP8 0.1 to 0.2, 4-bit 0.2 to 0.7 nats). */
function noiseExample(noise: number): string {
  if (noise < 0.06) return ', as other hardware has'
  if (noise < 0.17) return ', e.g. FP8 weights or cache'
  if (noise < 0.8) return ', e.g. 4-bit weights'
  return ', e.g. another model or prompt'
}

function count(number: number, noun: string): string {
  return `${Math.round(number).toLocaleString('en-US')} ${noun}${Math.round(number) === 1 ? '' : 's'}`
}
