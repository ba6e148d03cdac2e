import { count, duration, fixed, percent } from './formats.js'
import type { HubDocument, HubMiner, HubSample, KeyRow, RoutedModel } from './hub-documents.js'

/** A miner with one model that it serves; without one for a miner that serves none. */
export interface RoutedRow extends Omit<HubMiner, 'routing'> {
  readonly id: string
  readonly routed: RoutedModel | undefined
}

export function routedRows(miners: readonly HubMiner[]): RoutedRow[] {
  return miners.flatMap(({ routing, ...miner }) => {
    const rows = routing.length === 0 ? [undefined] : routing
    return rows.map((routed) => ({ ...miner, routed, id: `${miner.hotkey} ${routed?.model ?? ''}` }))
  })
}

/** Whether it is asked; else why not. */
export function routedState({ breaker, silent, routed }: RoutedRow): string {
  if (silent !== null) return `does not list its models: ${silent}`
  if (routed === undefined) return 'serves no model'
  if (breaker !== 'closed') return 'left out after failures'
  if (routed.share > 0) return routed.quality === null ? 'new' : 'asked'
  return routed.quality === 0 ? 'not asked: validators refute its answers' : 'not asked'
}

/** What is left of the tighter limit, as a part of it; undefined without a limit. */
export function leftOf({ tokensToday, tokensPerDay, spentTokens, budgetTokens }: KeyRow): number | undefined {
  const parts = [
    tokensPerDay === null ? undefined : 1 - tokensToday / Math.max(1, tokensPerDay),
    budgetTokens === null ? undefined : 1 - spentTokens / Math.max(1, budgetTokens),
  ].filter((part) => part !== undefined)
  return parts.length === 0 ? undefined : Math.max(0, Math.min(...parts))
}

/** `120 of 1 000` of a limit; the number alone without one. */
export function ofLimit(used: number, limit: number | null): string {
  return limit === null ? count(used) : `${count(used)} of ${count(limit)}`
}

/** The requests that ended in the last minute; undefined before the hub has run so long. */
export function lastMinute(
  samples: readonly HubSample[],
  intervalMs: number,
): { readonly requests: number; readonly failed: number } | undefined {
  const wanted = Math.round(60_000 / intervalMs)
  if (samples.length < wanted) return undefined
  const last = samples.slice(-wanted)
  const sum = (of: (sample: HubSample) => number) => last.reduce((all, sample) => all + of(sample), 0)
  return { requests: sum((one) => one.requests), failed: sum((one) => one.failed) }
}

/** What is kept for validators, and what they are handed now. */
export function organicsText(
  { records, bucket }: Pick<HubDocument, 'records' | 'bucket'>,
  nowMs: number,
): string {
  const { rows, bytes, dropped } = records
  const kept = `${count(rows)} requests with their answers are kept (${fixed(bytes / 2 ** 20, 1)} MiB)`
  const lost = dropped === 0 ? '' : `; ${count(dropped)} could not be kept for want of room`
  const age = bucket ? duration(nowMs - Date.parse(bucket.drawnAt)) : ''
  const next = bucket ? duration(Date.parse(bucket.endsAt) - nowMs) : ''
  const handed = bucket
    ? `Validators are handed a bucket of ${count(bucket.rows)}, drawn ${age} ago; the next one comes in ${next}.`
    : 'No bucket has been drawn for validators.'
  return `${kept}${lost}. ${handed}`
}

/** Keys that are not listed one by one. */
export function otherKeysText({ keys, tokensToday }: HubDocument['otherKeys']): string {
  if (keys === 0) return ''
  return `${count(keys)} more keys have used ${count(tokensToday)} tokens today.`
}

export function shareText(share: number | null | undefined): string {
  if (share === null || share === undefined) return '–'
  return share > 0 && share < 0.005 ? '<1 %' : percent(share, 1)
}
