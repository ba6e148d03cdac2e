import { applyTemperature, type ComparedAnswer, findToken } from '../../../evidence/index.js'
import { type Cut, keptCount, keptShare } from '../../../verification/index.js'

/** Tokens outside the cut that an uncut sampler would have drawn on average, for it to be proven: e⁻⁸ is 1 in 3,000. */
const PROVEN = 8
/** Nats of a logit by which the edge of the cut may be off: other arithmetic moves it. */
const EDGE = 0.05

/**
 * Whether answers were drawn from distributions with this cut: none of their tokens lies outside it although many should.
 * Answers that leave it open count as uncut.
 */
export function followsCut(answers: readonly ComparedAnswer[], cut: Cut): boolean {
  let expected = 0
  for (const { temperature, tokenIds, top } of answers) {
    const distributions = applyTemperature(top, 1 / temperature)
    const edge = EDGE / temperature
    for (const [position, id] of tokenIds.entries()) {
      const kept = keptCount(top, distributions, position, cut, edge)
      const start = top.starts[position] ?? 0
      const listed = (top.starts[position + 1] ?? start) - start
      // A cut that ends beyond the listed tokens says nothing about this position.
      if (kept >= listed) continue
      const entry = findToken(top, position, id)
      if (entry < 0 || entry - start >= kept) return false
      expected += 1 - keptShare(top, distributions, position, cut, EDGE).high
    }
  }
  return expected >= PROVEN
}
