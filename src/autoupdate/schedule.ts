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

/**
 * Whether an unattended update is wanted. `AUTO_UPDATE` unset has no opinion, `NO_AUTO_UPDATE` means what it says, and
 * "off" wins over everything.
 */
export function isUpdateWanted(sources: {
  readonly byDefault: boolean
  readonly flagOff: boolean
  readonly autoUpdate: boolean | undefined
  readonly noAutoUpdate: boolean | undefined
}): boolean {
  if (sources.flagOff || sources.autoUpdate === false || sources.noAutoUpdate === true) return false
  return sources.byDefault || sources.autoUpdate === true
}
