/** Fraction of the full counts to run. It scales counts, never the kinds of attack or fault. */
export const GAUNTLET_SCALE = Number(process.env.GAUNTLET_SCALE ?? '1')

/** @param most upper bound that applies only when scaled down, for cases too expensive for a quick run. */
export function scaled(full: number, least = 1, most = full): number {
  if (GAUNTLET_SCALE >= 1) return full
  return Math.min(most, Math.max(least, Math.round(full * GAUNTLET_SCALE)))
}
