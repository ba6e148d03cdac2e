import type { ReferenceEngine } from './types.js'

const HOUR_MS = 3_600_000

/**
 * Whether the chat template of a model writes the server's own date into every prompt, as those of Llama 3.2 and others do
 * (`strftime_now`).
 *
 * @throws TargonError what the engine's calls throw
 */
export async function insertsDate(
  engine: Pick<ReferenceEngine, 'tokenizeChat' | 'detokenize'>,
  now: number,
  signal: AbortSignal,
): Promise<boolean> {
  const ids = await engine.tokenizeChat([{ role: 'user', content: 'Hi' }], signal)
  return namesDay(await engine.detokenize(ids, signal), now)
}

/** Whether a text names today, or a day beside it, in one of the usual ways. */
export function namesDay(text: string, now: number): boolean {
  return [-24, -12, 0, 12, 24].some((hours) => {
    const day = new Date(now + hours * HOUR_MS)
    const part = (options: Intl.DateTimeFormatOptions) =>
      day.toLocaleDateString('en-US', { ...options, timeZone: 'UTC' })
    const [year, month] = [part({ year: 'numeric' }), part({ month: 'short' })]
    const [iso] = day.toISOString().split('T')
    if (iso !== undefined && (text.includes(iso) || text.includes(iso.replaceAll('-', '/')))) return true
    return text.includes(year) && text.includes(month) && new RegExp(`\\b0?${day.getUTCDate()}\\b`).test(text)
  })
}
