import { at } from '../distributions.js'
import { type Margin, MarginBets, MarginSums } from '../margins.js'
import type { NoiseLevels } from '../noise.js'
import type { StatisticObservation } from '../observation.js'
import type { PreparedAnswer } from '../prepared-answer.js'

/**
 * G, greedy probes: a token asked for at temperature 0 that is not the reference's likeliest, weighed by the likeliest
 * token's lead (see `margins.ts`). Needs neither seeds nor claimed log probabilities and works on every server.
 * Source: the greedy match rate of Token-DiFR (arXiv 2511.20621).
 */
export function observeGreedy(answer: PreparedAnswer, levels: NoiseLevels): StatisticObservation | undefined {
  if (!answer.isGreedy || answer.isCut) return undefined
  const suspicion = new MarginBets(levels.suspicion)
  const enforced = new MarginBets(levels.enforced)
  const sums = new MarginSums()
  const margin: Margin = {
    leads: new Float64Array(64),
    count: 0,
    unseen: 0,
    temperature: 1,
    isMismatch: false,
  }
  let tokens = 0
  for (let position = 0; position < answer.length; position++) {
    if (!measureLead(answer, position, margin)) continue
    tokens++
    suspicion.add(margin)
    enforced.add(margin)
    sums.add(margin)
  }
  if (tokens === 0) return undefined
  return { tokens, suspicion: suspicion.logFactors, enforced: enforced.logFactors, sums: sums.sums }
}

/** @returns false where the reference names no token. */
function measureLead({ top, tokenIds }: PreparedAnswer, position: number, margin: Margin): boolean {
  const [start, end] = [at(top.starts, position), at(top.starts, position + 1)]
  if (end <= start) return false
  const best = at(top.logprobs, start)
  margin.count = Math.min(end - start - 1, margin.leads.length)
  for (let entry = 0; entry < margin.count; entry++)
    margin.leads[entry] = best - at(top.logprobs, start + 1 + entry)
  margin.isMismatch = at(tokenIds, position) !== at(top.ids, start)
  return true
}
