import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import type { HubSettings } from '../../../config/index.js'
import { messageOf, TargonError } from '../../../kernel/index.js'

/** What HTTPS is served with. */
export interface Tls {
  /** PEM; the hub's own certificate first, then its chain. */
  readonly cert: Buffer
  /** PEM. */
  readonly key: Buffer
  readonly validity: Validity
}

/** When a certificate is valid, in milliseconds since 1970. */
export interface Validity {
  readonly fromMs: number
  readonly untilMs: number
}

/**
 * Certificate and key of the hub; undefined when it serves plain HTTP.
 *
 * @throws TargonError HUB_TLS (usage): a file is missing, cannot be read, has no time of validity, or does not belong to the other
 */
export async function readTls(
  settings: Pick<HubSettings, 'hub.tls-cert' | 'hub.tls-key'>,
): Promise<Tls | undefined> {
  const { 'hub.tls-cert': certFile, 'hub.tls-key': keyFile } = settings
  if (certFile === undefined && keyFile === undefined) return undefined
  try {
    if (certFile === undefined || keyFile === undefined) throw new Error('one of the two files is missing')
    const [cert, key] = [await readFile(certFile), await readFile(keyFile)]
    // Throws when a file is not PEM, or the key belongs to another certificate.
    createSecureContext({ cert, key })
    return { cert, key, validity: validityOf(cert) }
  } catch (cause) {
    throw new TargonError(
      `The hub cannot serve HTTPS: ${messageOf(cause)}.`,
      {
        code: 'HUB_TLS',
        fault: 'usage',
        next: 'Give --hub.tls-cert and --hub.tls-key readable PEM files that belong together.',
      },
      { cause },
    )
  }
}

/**
 * Of the first certificate, which is the hub's own. Of the others, clients need only those that lead to a root they trust: chains
 * may end in an expired root that another one signed.
 */
function validityOf(chain: Buffer): Validity {
  const { validFrom, validTo } = new X509Certificate(chain)
  const [fromMs, untilMs] = [Date.parse(validFrom), Date.parse(validTo)]
  if (Number.isNaN(fromMs) || Number.isNaN(untilMs))
    throw new Error('the dates of the certificate cannot be read')
  return { fromMs, untilMs }
}
