/** Share of the full counts to run: counts shrink, kinds never do. */
export const GAUNTLET_SCALE = Number(process.env.GAUNTLET_SCALE ?? '1')

/** @param most bound for a scaled run only, for what costs more than a quick run may take. */
export function scaled(full: number, least = 1, most = full): number {
  if (GAUNTLET_SCALE >= 1) return full
  return Math.min(most, Math.max(least, Math.round(full * GAUNTLET_SCALE)))
}
