/** Names shown in full; of more, the rest is counted. */
const SHOWN = 3

/** What a start waits for, in one line that fits a terminal of 80 columns. */
export function describeWaiting(names: readonly string[], elapsedMs: number): string {
  const seconds = Math.round(elapsedMs / 1000)
  const rest = names.length - SHOWN
  const shown = names.slice(0, SHOWN).join(', ')
  return `Waiting for ${shown}${rest > 0 ? ` and ${rest} more` : ''} (${seconds} s)`
}
