import { PROVEN_ENDINGS, type Verdict, weighEnding } from '../../../verification/index.js'

/** Miners and models with evidence above 1 that are remembered; honest ones rarely have any. */
const MAX_ENTRIES = 10_000

/**
 * Multiplies the chances of a miner's early ends over its answers, per hotkey and model. One improbable end is verified, for
 * models do end early now and then; a miner that ends where it likes fails once that explains its answers 10⁷ times better
 * than chance. Fed with the validator's own rounds only: a hub could invent early ends. Starts empty after a restart.
 *
 * @returns the verdict, or EARLY_END instead of `verified`
 */
export type ReviewVerdict = (hotkey: string, model: string, verdict: Verdict) => Verdict

export function watchEarlyEnds(): ReviewVerdict {
  const evidence = new Map<string, number>()
  return (hotkey, model, verdict) => {
    if (verdict.kind !== 'verified') return verdict
    const key = `${hotkey} ${model}`
    const { endOdds } = verdict
    const next = weighEnding(evidence.get(key) ?? 1, endOdds)
    evidence.delete(key)
    if (next > 1) evidence.set(key, next)
    const [oldest] = evidence.keys()
    if (evidence.size > MAX_ENTRIES && oldest !== undefined) evidence.delete(oldest)
    if (next < PROVEN_ENDINGS || endOdds === undefined) return verdict
    return {
      kind: 'failed',
      cause: 'EARLY_END',
      detail: `The answer ended early, like earlier ones of this miner; together they are ${PROVEN_ENDINGS.toExponential(0)} times likelier from a miner that chooses where to end.`,
    }
  }
}
