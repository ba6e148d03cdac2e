import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import { TargonError } from './errors.js'

/** The address a caller is counted under, seen through trusted proxies: its IPv4 address, or its IPv6 network. */
export type CallerAddress = (request: IncomingMessage) => string

/** Whether the operator trusts the proxy at an address. */
export type IsTrustedProxy = (address: string) => boolean

/**
 * @param setting that has the entries
 * @throws TargonError BAD_TRUSTED_PROXY (fault usage) for an entry that is neither an address nor a network, or covers every
 *   address.
 */
export function readTrustedProxies(
  entries: readonly string[],
  setting = 'axon.trusted-proxies',
): IsTrustedProxy {
  const trusted = new BlockList()
  for (const entry of entries) addEntry(trusted, entry, setting)
  return (address) => {
    const version = isIP(address)
    return version !== 0 && trusted.check(address, version === 6 ? 'ipv6' : 'ipv4')
  }
}

/**
 * X-Forwarded-For counts only when the connection comes from a trusted proxy, and only back to the first address that is
 * not trusted: everything before that was written by the caller.
 */
export function createCallerAddress(isTrusted: IsTrustedProxy): CallerAddress {
  const addressOf = (request: IncomingMessage): string => {
    let address = unmapAddress(request.socket.remoteAddress ?? '')
    if (!isTrusted(address)) return address
    const forwarded = (request.headersDistinct['x-forwarded-for'] ?? []).join(',').split(',').reverse()
    for (const entry of forwarded) {
      if (!isTrusted(address)) return address
      const next = unmapAddress(entry.trim())
      if (isIP(next) === 0) return address
      address = next
    }
    return address
  }
  return (request) => networkOf(addressOf(request))
}

/** A host owns a whole /64 of IPv6 addresses (RFC 4291 §2.5.4), so they count as one. */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address
  const [front = '', back] = address.replace(/%.*$/, '').split('::')
  const first = front === '' ? [] : front.split(':')
  const last = back ? back.split(':') : []
  // An IPv4 address at the end takes the place of two groups.
  const count = first.length + last.length + (address.includes('.') ? 1 : 0)
  const groups = back === undefined ? first : [...first, ...Array<string>(8 - count).fill('0'), ...last]
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16))
  return `${network.join(':')}::/64`
}

/** `::ffff:1.2.3.4` as `1.2.3.4`. */
export function unmapAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}

function addEntry(list: BlockList, entry: string, setting: string): void {
  const [address = '', prefix, ...more] = entry.split('/')
  const version = isIP(address)
  const longest = version === 6 ? 128 : 32
  // An empty prefix (`10.0.0.0/`) must not be read as 0, which would trust every address.
  const bits = prefix === undefined ? longest : /^\d{1,3}$/.test(prefix) ? Number(prefix) : 0
  if (version === 0 || more.length > 0 || bits < 1 || bits > longest) {
    throw new TargonError(`${JSON.stringify(entry)} is not an IP address or network.`, {
      code: 'BAD_TRUSTED_PROXY',
      fault: 'usage',
      next: `Give --${setting} addresses like 10.0.0.2 or networks like 10.0.0.0/8.`,
    })
  }
  const family = version === 6 ? 'ipv6' : 'ipv4'
  list.addSubnet(address, bits, family)
}
