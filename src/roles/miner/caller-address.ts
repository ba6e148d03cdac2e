import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import { TargonError } from '../../errors.js'

/** Tells the address of a caller, through the balancers the operator trusts. */
export type CallerAddress = (request: IncomingMessage) => string

/**
 * X-Forwarded-For counts only when the connection comes from a trusted proxy, and then only up to the last address no trusted
 * proxy stands for: whatever the caller wrote before it is ignored.
 *
 * @throws TargonError BAD_TRUSTED_PROXY (fault usage) for an entry that is neither an address nor a network, or names everybody.
 */
export function createCallerAddress(trustedProxies: readonly string[]): CallerAddress {
  const trusted = new BlockList()
  for (const entry of trustedProxies) addEntry(trusted, entry)
  const isTrusted = (address: string) => trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  return (request) => {
    let address = plainAddress(request.socket.remoteAddress ?? '')
    if (trustedProxies.length === 0 || isIP(address) === 0) return address
    const forwarded = (request.headersDistinct['x-forwarded-for'] ?? []).join(',').split(',').reverse()
    for (const entry of forwarded) {
      if (!isTrusted(address)) return address
      const next = plainAddress(entry.trim())
      if (isIP(next) === 0) return address
      address = next
    }
    return address
  }
}

function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}

function addEntry(list: BlockList, entry: string): void {
  const [address = '', prefix, ...more] = entry.split('/')
  const version = isIP(address)
  const longest = version === 6 ? 128 : 32
  // `10.0.0.0/` would be the number 0: a network of everybody, whose word would then count for every address.
  const bits = prefix === undefined ? longest : /^\d{1,3}$/.test(prefix) ? Number(prefix) : 0
  if (version === 0 || more.length > 0 || bits < 1 || bits > longest) {
    throw new TargonError(`${JSON.stringify(entry)} is neither an IP address nor a network.`, {
      code: 'BAD_TRUSTED_PROXY',
      fault: 'usage',
      next: 'Give --axon.trusted-proxies addresses like 10.0.0.2 or networks like 10.0.0.0/8.',
    })
  }
  const family = version === 6 ? 'ipv6' : 'ipv4'
  list.addSubnet(address, bits, family)
}
