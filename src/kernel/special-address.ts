import { BlockList, isIP } from 'node:net'

/** IANA special-purpose ranges (registries of RFC 6890 and later), which validators do not query (SECURITY.md T-V1). */
const SPECIAL_V4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const

const SPECIAL_V6 = [
  ['::', 128],
  ['::1', 128],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
  ['5f00::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const

/** Prefixes whose last 32 bits are an IPv4 address: mapped, compatible, NAT64. */
const V4_EMBEDDING = ['::ffff:0:0/96', '::/96', '64:ff9b::/96'] as const

const special = new BlockList()
for (const [network, prefix] of SPECIAL_V4) special.addSubnet(network, prefix, 'ipv4')
for (const [network, prefix] of SPECIAL_V6) special.addSubnet(network, prefix, 'ipv6')

const embedding = new BlockList()
for (const range of V4_EMBEDDING) {
  const [network = '', prefix] = range.split('/')
  embedding.addSubnet(network, Number(prefix), 'ipv6')
}

/**
 * Whether an address is in a private, loopback, link-local, documentation or other special range. An IPv6 address that
 * embeds an IPv4 address (`::ffff:127.0.0.1`, `::127.0.0.1`, NAT64) is checked by that address. Anything that is not a
 * plain address counts as special.
 */
export function isSpecialAddress(ip: string): boolean {
  const version = isIP(ip)
  if (version === 4) return special.check(ip, 'ipv4')
  if (version !== 6 || ip.includes('%')) return true
  if (special.check(ip, 'ipv6')) return true
  return embedding.check(ip, 'ipv6') && special.check(lastFour(ip), 'ipv4')
}

/** The last 32 bits of an IPv6 address as IPv4 text. */
function lastFour(ip: string): string {
  const dotted = /(\d+\.\d+\.\d+\.\d+)$/.exec(ip)?.[1]
  if (dotted) return dotted
  const [head = '', tail = ''] = ip.split('::')
  const groups = (ip.includes('::') ? tail || '0' : head).split(':')
  const low = Number.parseInt(groups.at(-1) ?? '0', 16)
  const high = groups.length > 1 ? Number.parseInt(groups.at(-2) ?? '0', 16) : 0
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}
