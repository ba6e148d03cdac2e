import { type Refusal, refuse } from './refusal.js'

/**
 * Header values by lower-case name, one entry per occurrence: the shape of Node's `IncomingMessage.headersDistinct`.
 * (`headers` would join a doubled header into one text.)
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

/** @returns the value of a header, undefined when it is absent; doubled ones never get this far. */
export function headerValue(headers: DistinctHeaders, name: EpistulaHeader): string | undefined {
  return headers[name]?.[0]
}

/** Two values for one header mean that two readers of the request may disagree: refused whatever they are. */
export function refuseRepeated(headers: DistinctHeaders): Refusal | undefined {
  return SINGLE.some((name) => (headers[name]?.length ?? 0) > 1) ? refuse('REPEATED_HEADER') : undefined
}
