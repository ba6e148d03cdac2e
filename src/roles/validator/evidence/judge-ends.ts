import type { EvidenceBook } from '../../../evidence/index.js'
import { PROVEN_ENDINGS, type Verdict, weighEnding } from '../../../verification/index.js'

/**
 * Multiplies the chances of a miner's early ends over its answers, per hotkey and model. One improbable end is verified, for
 * models do end early now and then; a miner that ends where it likes fails once that explains its answers 10⁷ times better
 * than chance. Fed with the validator's own rounds only: a hub could invent early ends.
 *
 * @returns the verdict, or EARLY_END instead of `verified`
 */
export function reviewEnd(
  book: EvidenceBook,
  {
    hotkey,
    model,
    verdict,
    at,
  }: { readonly hotkey: string; readonly model: string; readonly verdict: Verdict; readonly at: number },
): Verdict {
  if (verdict.kind !== 'verified') return verdict
  const { endOdds } = verdict
  const next = weighEnding(book.endingsOf(hotkey, model), endOdds)
  book.setEndings(hotkey, model, next, at)
  if (next < PROVEN_ENDINGS || endOdds === undefined) return verdict
  return {
    kind: 'failed',
    cause: 'EARLY_END',
    detail: `The answer ended early, like earlier ones of this miner; together they are ${PROVEN_ENDINGS.toExponential(0)} times likelier from a miner that chooses where to end.`,
  }
}
