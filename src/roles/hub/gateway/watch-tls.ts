import { Server } from 'node:tls'
import type { HubSettings } from '../../../config/index.js'
import { type Clock, every, type Log } from '../../../kernel/index.js'
import { readTls, type Tls, type Validity } from './tls.js'

/** A certificate is renewed days before it ends. */
const LOOK_MS = 600_000

export interface WatchedTls {
  readonly settings: Pick<HubSettings, 'hub.tls-cert' | 'hub.tls-key'>
  readonly clock: Clock
  readonly log: Log
  /** Ends the watch. */
  readonly signal: AbortSignal
}

/**
 * Takes over a renewed certificate and key for new connections, without a restart. Files that do not belong together, as in the
 * middle of a renewal, change nothing.
 *
 * @param server that serves HTTPS with `tls`
 * @returns how long the certificate in use is valid; undefined for plain HTTP
 */
export function watchTls(
  server: unknown,
  tls: Tls | undefined,
  { settings, clock, log, signal }: WatchedTls,
): () => Validity | undefined {
  if (tls === undefined || !(server instanceof Server)) return () => undefined
  let used = tls
  const look = async () => {
    const read = await readTls(settings)
    if (read === undefined || (read.cert.equals(used.cert) && read.key.equals(used.key))) return
    server.setSecureContext(read)
    used = read
    const validUntil = new Date(read.validity.untilMs).toISOString()
    log.info({ event: 'hub-tls-renewed', validUntil }, 'serving HTTPS with the renewed certificate')
  }
  void every(clock, LOOK_MS, signal, look, (error) =>
    log.warn(
      { event: 'hub-tls-unreadable', err: error },
      'could not load the files of the certificate; the hub still uses the one before',
    ),
  )
  return () => used.validity
}
