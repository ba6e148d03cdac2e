import { createHash } from 'node:crypto'

/** 4.4.1 epistula.py generate_header: the value of Epistula-Version. */
export const EPISTULA_VERSION = '2'

/** 4.4.1 epistula.py: secret signatures are made for 10-second intervals. */
const SECRET_INTERVAL_MS = 10_000

/** Hex SHA-256 of the exact bytes of a body. */
export function hashBody(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex')
}

/**
 * The text a request signature covers: `sha256hex(body).uuid.timestamp.signedFor`. Without a receiver it ends in a dot.
 * All parts are text as they stand in the headers, so that nothing is normalised on the way.
 */
export function requestMessage(parts: {
  readonly bodyHash: string
  readonly uuid: string
  readonly timestamp: string
  readonly signedFor: string
}): Uint8Array {
  return Buffer.from(`${parts.bodyHash}.${parts.uuid}.${parts.timestamp}.${parts.signedFor}`, 'utf8')
}

/** End of the 10-second interval a moment lies in (the moment itself when it is a multiple). */
export function secretInterval(nowMs: number): number {
  return Math.ceil(nowMs / SECRET_INTERVAL_MS) * SECRET_INTERVAL_MS
}

/** The three texts secret signatures cover, with the interval as Python prints a float: `1734000009999.0.<hotkey>`. */
export function secretMessages(intervalMs: number, signedFor: string): readonly Uint8Array[] {
  return [intervalMs - 1, intervalMs, intervalMs + 1].map((ms) => Buffer.from(`${ms}.0.${signedFor}`, 'utf8'))
}
