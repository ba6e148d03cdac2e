import { fractionOf, mixHash } from '../language/index.js'
import type { Occasion } from './behaviour.js'

const SHARE_SEED = 0x0cca

/**
 * Whether the engine cheats with this answer.
 *
 * @param answer its number, counted from 1
 * @param runningMs how long the engine has run
 * @param promptTokens of the request
 */
export function isOccasion(
  { share = 1, fromAnswer = 1, afterMs = 0, belowPromptTokens = Number.POSITIVE_INFINITY }: Occasion,
  answer: number,
  runningMs: number,
  promptTokens: number,
): boolean {
  if (promptTokens >= belowPromptTokens) return false
  return answer >= fromAnswer && runningMs >= afterMs && fractionOf(mixHash(answer, SHARE_SEED)) < share
}
