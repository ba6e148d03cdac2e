import { BlockList, isIP } from 'node:net'
import { messageOf, TargonError } from '../../../kernel/index.js'

const LOOKUP_URL = 'https://checkip.amazonaws.com'

/** Asks a public service for this host's public IP. */
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
 * The IP to announce: `--axon.external_ip`, else `--axon.ip` unless it is a wildcard, else looked up (4.4.1 took the same
 * order from bittensor).
 *
 * @throws TargonError NO_EXTERNAL_ADDRESS: fault usage for a setting that is no address of one host; unreachable for a failed
 *   lookup, which may succeed at the next start.
 */
export async function resolveExternalAddress(
  settings: { readonly 'axon.external_ip': string | undefined; readonly 'axon.ip': string },
  signal: AbortSignal,
  lookUp: (url: string, signal: AbortSignal) => Promise<string> = lookUpAddress,
): Promise<string> {
  const given =
    settings['axon.external_ip'] ?? (isWildcard(settings['axon.ip']) ? undefined : settings['axon.ip'])
  if (given !== undefined) {
    if (isIP(given) === 0) throw noAddress('usage', `${quoted(given)} is not an IP address`)
    if (isWildcard(given)) throw noAddress('usage', `${quoted(given)} stands for every address of this host`)
    return given
  }
  const found = await lookUp(LOOKUP_URL, signal).catch((cause: unknown) => {
    signal.throwIfAborted()
    throw noAddress('unreachable', `${LOOKUP_URL} failed: ${messageOf(cause)}`, { cause })
  })
  if (isIP(found) === 0) throw noAddress('unreachable', `${LOOKUP_URL} returned ${quoted(found)}`)
  return found
}

const wildcards = new BlockList()
wildcards.addAddress('0.0.0.0', 'ipv4')
wildcards.addAddress('::', 'ipv6')

function isWildcard(address: string): boolean {
  if (address === '' || address === '[::]') return true
  return isIP(address) !== 0 && wildcards.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 60))
}

function noAddress(fault: 'usage' | 'unreachable', why: string, options?: ErrorOptions): TargonError {
  return new TargonError(
    `The public IP to announce could not be determined: ${why}.`,
    { code: 'NO_EXTERNAL_ADDRESS', fault, next: "Give this host's public IP with --axon.external_ip." },
    options,
  )
}
