import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import type { HubSettings } from '../../../config/index.js'
import { messageOf, TargonError } from '../../../kernel/index.js'

/** What HTTPS is served with, in PEM. */
export interface Tls {
  readonly cert: Buffer
  readonly key: Buffer
}

/** When a certificate and those that it comes with are valid, in milliseconds since 1970. */
export interface Validity {
  readonly fromMs: number
  readonly untilMs: number
}

/**
 * Certificate and key of the hub; undefined when it serves plain HTTP.
 *
 * @throws TargonError HUB_TLS (usage): a file is missing, cannot be read, or does not belong to the other
 */
export async function readTls(
  settings: Pick<HubSettings, 'hub.tls-cert' | 'hub.tls-key'>,
): Promise<Tls | undefined> {
  const { 'hub.tls-cert': certFile, 'hub.tls-key': keyFile } = settings
  if (certFile === undefined && keyFile === undefined) return undefined
  try {
    if (certFile === undefined || keyFile === undefined) throw new Error('one of the two files is missing')
    const tls = { cert: await readFile(certFile), key: await readFile(keyFile) }
    // Throws when a file is not PEM, or the key belongs to another certificate.
    createSecureContext(tls)
    return tls
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

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

/** The time in which every certificate of a chain (PEM) is valid. */
export function validityOf(chain: Buffer): Validity {
  const certificates = (chain.toString('latin1').match(CERTIFICATE) ?? []).map(
    (pem) => new X509Certificate(pem),
  )
  return {
    fromMs: Math.max(...certificates.map(({ validFrom }) => Date.parse(validFrom))),
    untilMs: Math.min(...certificates.map(({ validTo }) => Date.parse(validTo))),
  }
}
