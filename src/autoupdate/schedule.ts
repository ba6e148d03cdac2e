import { createHash } from 'node:crypto'

/** An update never starts closer than this to the next setting of weights (R10). */
export const QUIET_BLOCKS = 30
/** Spread of the checks over the network, so that not all validators restart at once. */
export const JITTER_MS = 30 * 60_000

/** Delay after a check is due: 0 to 30 minutes, the same for the same hotkey and version. */
export function jitterOf(hotkey: string, version: string): number {
  const digest = createHash('sha256').update(`${hotkey}/${version}`).digest()
  return Math.floor((digest.readUInt32BE(0) / 2 ** 32) * JITTER_MS)
}

export function mayUpdateAt(block: number, nextWeightsBlock: number): boolean {
  return nextWeightsBlock - block > QUIET_BLOCKS
}
