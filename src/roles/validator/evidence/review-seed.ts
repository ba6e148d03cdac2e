import type { Standing } from '../../../evidence/index.js'
import type { Verdict } from '../../../verification/index.js'
import type { ReviewedAnswer } from '../rounds/index.js'

/** Answers that must have been told apart, and the share of them that need not follow their seed. */
const SEEDED = { answers: 20, share: 0.05 }

/** With `--evidence.seed require`: the failure of an answer that does not follow its seed, like too many before it. */
export function reviewSeed(
  { synchronised, unsynchronised }: Standing,
  { observation }: Pick<ReviewedAnswer, 'observation'>,
): Verdict | undefined {
  if (observation?.synchrony !== 'no') return undefined
  const answers = synchronised + unsynchronised
  if (answers < SEEDED.answers || unsynchronised <= SEEDED.share * answers) return undefined
  return {
    kind: 'failed',
    cause: 'EVIDENCE',
    detail: `The tokens do not follow the seed of the request in any way that current vLLM samples, in ${unsynchronised} of ${answers} answers.`,
  }
}
