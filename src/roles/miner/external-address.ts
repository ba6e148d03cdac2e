import { isIP } from 'node:net'
import { TargonError } from '../../errors.js'

const LOOKUP_URL = 'https://checkip.amazonaws.com'

/** Asks a public service for the address this host is seen under. */
export async function lookUpAddress(url: string, signal: AbortSignal): Promise<string> {
  const { got } = await import('got')
  const text = await got(url, {
    timeout: { request: 5000 },
    retry: { limit: 2 },
    followRedirect: false,
    signal,
  }).text()
  return text.trim()
}

/**
 * The address to announce: `--axon.external_ip`, else `--axon.ip` when it is a real one, else looked up (4.4.1 took the same
 * order from bittensor).
 *
 * @throws TargonError NO_EXTERNAL_ADDRESS (fault usage) when none of them gives an IP address.
 */
export async function resolveExternalAddress(
  settings: { readonly 'axon.external_ip': string | undefined; readonly 'axon.ip': string },
  signal: AbortSignal,
  lookUp: (url: string, signal: AbortSignal) => Promise<string> = lookUpAddress,
): Promise<string> {
  const given =
    settings['axon.external_ip'] ?? (isWildcard(settings['axon.ip']) ? undefined : settings['axon.ip'])
  const address =
    given ??
    (await lookUp(LOOKUP_URL, signal).catch((cause: unknown) => {
      signal.throwIfAborted()
      return fail('looked up', cause)
    }))
  if (isIP(address) === 0) return fail(`read from ${JSON.stringify(address.slice(0, 60))}`, undefined)
  return address
}

function isWildcard(address: string): boolean {
  return ['', '0.0.0.0', '::', '[::]'].includes(address)
}

function fail(how: string, cause: unknown): never {
  throw new TargonError(
    `The address to announce could not be ${how}.`,
    {
      code: 'NO_EXTERNAL_ADDRESS',
      fault: 'usage',
      next: 'Give this host’s public address with --axon.external_ip.',
    },
    { cause },
  )
}
