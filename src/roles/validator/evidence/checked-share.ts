import type { Random } from '../../../prompts/index.js'
import type { Feed } from '../../role.js'
import { hasFailedContent, type RoundResult } from '../rounds/index.js'
import type { ValidatorContext } from '../subnet/index.js'
import type { Evidence } from './evidence.js'

export interface CheckedShareParts {
  readonly random: Random
  readonly evidence: Pick<Evidence, 'isClean'>
  readonly events: {
    readonly result: Feed<RoundResult>
    readonly resynced: Feed<unknown>
  }
}

/** Which complete answers the engine need not check. */
export interface CheckedShare {
  /** Asked once per answer: a random draw for a miner that is trusted for the model, always false for another. */
  leavesUnchecked(hotkey: string, model: string): boolean
  /** Miners and models that are trusted now. */
  trusted(): number
}

/**
 * Saves the engine work on miners that have shown for long that they serve the model (`--evidence.checked-share`). The draw is
 * made after an answer is complete, so that a miner can neither foresee nor influence it. One failed check ends the trust, and
 * a restart ends all.
 */
export function openCheckedShare(
  context: Pick<ValidatorContext, 'settings' | 'view'>,
  { random, evidence, events }: CheckedShareParts,
): CheckedShare {
  const { settings, view } = context
  // The rules of 4.4.1 weigh no evidence, on which trust rests.
  const share = settings['verification.rules'] === 'strict' ? settings['evidence.checked-share'] : 1
  /** Verified answers in a row, by hotkey and model. */
  const streaks = new Map<string, Map<string, number>>()
  let draws = 0
  const isTrusted = (hotkey: string, model: string, streak: number | undefined) =>
    streak !== undefined && streak >= settings['evidence.clean-answers'] && evidence.isClean(hotkey, model)
  if (share < 1) {
    events.result.subscribe((result) => {
      const { miner, request, verdict } = result
      const models = streaks.get(miner.hotkey) ?? new Map<string, number>()
      streaks.set(miner.hotkey, models)
      if (verdict.kind === 'verified') models.set(request.model, (models.get(request.model) ?? 0) + 1)
      else if (hasFailedContent(result)) models.delete(request.model)
    })
    events.resynced.subscribe(() => {
      for (const [hotkey, models] of streaks) {
        if (!view.metagraph.find(hotkey)) streaks.delete(hotkey)
        for (const model of models.keys()) if (!view.wanted.includes(model)) models.delete(model)
      }
    })
  }
  return {
    leavesUnchecked: (hotkey, model) => {
      if (!isTrusted(hotkey, model, streaks.get(hotkey)?.get(model))) return false
      // A stream of its own for each draw: the outcome of earlier ones tells nothing of the next.
      return random.fork(String(draws++)).next() >= share
    },
    trusted: () => {
      let count = 0
      for (const [hotkey, models] of streaks)
        for (const [model, streak] of models) if (isTrusted(hotkey, model, streak)) count++
      return count
    },
  }
}
