import { createHash } from 'node:crypto'

/** Value of Epistula-Version (4.4.1 epistula.py generate_header). */
export const EPISTULA_VERSION = '2'

/** Secret signatures cover 10-second intervals (4.4.1 epistula.py). */
const SECRET_INTERVAL_MS = 10_000

/** SHA-256 of the exact bytes of a body, as hex. */
export function hashBody(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex')
}

/**
 * The text a request signature covers: `sha256hex(body).uuid.timestamp.signedFor`, ending in a dot without a receiver. All
 * parts are used as they appear in the headers, without normalisation.
 */
export function requestMessage(parts: {
  readonly bodyHash: string
  readonly uuid: string
  readonly timestamp: string
  readonly signedFor: string
}): Uint8Array {
  return Buffer.from(`${parts.bodyHash}.${parts.uuid}.${parts.timestamp}.${parts.signedFor}`, 'utf8')
}

/** End of the 10-second interval that contains this time, which may be the time itself. */
export function secretInterval(nowMs: number): number {
  return Math.ceil(nowMs / SECRET_INTERVAL_MS) * SECRET_INTERVAL_MS
}

/** The texts of the three secret signatures, with the interval as a Python float: `1734000009999.0.<hotkey>`. */
export function secretMessages(intervalMs: number, signedFor: string): readonly Uint8Array[] {
  return [intervalMs - 1, intervalMs, intervalMs + 1].map((ms) => Buffer.from(`${ms}.0.${signedFor}`, 'utf8'))
}
