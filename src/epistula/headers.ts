import { type Refusal, refuse } from './refusal.js'

/**
 * Header values by lower-case name, one entry per occurrence, as in Node's `IncomingMessage.headersDistinct`; `headers`
 * would join repeated headers into one string.
 */
export type DistinctHeaders = Readonly<Record<string, readonly string[] | undefined>>

const SINGLE = [
  'epistula-version',
  'epistula-timestamp',
  'epistula-uuid',
  'epistula-signed-by',
  'epistula-signed-for',
  'epistula-request-signature',
  'x-targon-model',
] as const

export type EpistulaHeader = (typeof SINGLE)[number]

/** @returns the value of a header, or undefined. Requests with a repeated header are rejected before. */
export function headerValue(headers: DistinctHeaders, name: EpistulaHeader): string | undefined {
  return headers[name]?.[0]
}

/** Rejects repeated headers, because two readers of the request could use different values. */
export function refuseRepeated(headers: DistinctHeaders): Refusal | undefined {
  return SINGLE.some((name) => (headers[name]?.length ?? 0) > 1) ? refuse('REPEATED_HEADER') : undefined
}
