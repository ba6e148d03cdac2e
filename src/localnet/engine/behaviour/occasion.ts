import { fractionOf, mixHash } from '../language/index.js'
import type { Occasion } from './behaviour.js'

const SHARE_SEED = 0x0cca

/**
 * Whether the engine cheats with this answer.
 *
 * @param answer its number, counted from 1
 * @param runningMs how long the engine has run
 * @param asksForUsage whether the request does
 */
export function isOccasion(
  { share = 1, fromAnswer = 1, afterMs = 0, forUsers = false }: Occasion,
  answer: number,
  runningMs: number,
  asksForUsage: boolean,
): boolean {
  if (forUsers && !asksForUsage) return false
  return answer >= fromAnswer && runningMs >= afterMs && fractionOf(mixHash(answer, SHARE_SEED)) < share
}
