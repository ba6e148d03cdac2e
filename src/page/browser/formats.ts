/** How numbers, times and keys are written. */

const NONE = '–'

/** `5DAAnr…H3gm`. Keys differ at their ends; the full one is in the title of its cell. */
export function shortKey(hotkey: string): string {
  return hotkey.length <= 12 ? hotkey : `${hotkey.slice(0, 6)}…${hotkey.slice(-4)}`
}

/** With this many digits after the point; a dash for none. */
export function fixed(value: number | null | undefined, digits: number): string {
  return value === null || value === undefined || !Number.isFinite(value) ? NONE : value.toFixed(digits)
}

/** Share of a whole as `93 %`; a dash for nothing. */
export function percent(part: number, whole: number): string {
  return whole <= 0 ? NONE : `${Math.round((100 * part) / whole)} %`
}

/** `12 345` with thin spaces, which no locale takes for a decimal point. */
export function count(value: number): string {
  return String(Math.round(value)).replaceAll(/\B(?=(\d{3})+$)/g, '\u202f')
}

/** `45 s`, `3 min`, `2 h 5 min`, `3 d 4 h`: two units at most. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
  const days = Math.floor(hours / 24)
  return hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`
}

/** `14:05:09` of a time in UTC. */
export function clockTime(iso: string): string {
  return iso.slice(11, 19)
}

/** Failures by cause, most frequent first: `OVERFIT 2, NO_LOGPROBS 1`; empty for none. */
export function causes(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([cause, times]) => `${cause} ${times}`)
    .join(', ')
}

export function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, one) => sum + one, 0)
}

/** The value in the middle; undefined of none. */
export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}
