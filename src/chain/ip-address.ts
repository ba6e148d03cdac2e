import { isIPv4, isIPv6 } from 'node:net'

/** An IP address as the chain stores it: its bytes as an integer, and its family. */
export interface IpNumber {
  readonly value: bigint
  readonly type: 4 | 6
}

/** @returns undefined unless the text is an IPv4 or IPv6 address (no zone, no brackets). */
export function parseIp(text: string): IpNumber | undefined {
  if (isIPv4(text)) {
    return { value: text.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n), type: 4 }
  }
  if (!isIPv6(text) || text.includes('%')) return undefined
  // URL normalises every form to hextets, so that only `::` has to be expanded.
  const canonical = new URL(`http://[${text}]`).hostname.slice(1, -1)
  const [head = '', tail] = canonical.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0')
  const hextets = [...left, ...zeros, ...right]
  return { value: hextets.reduce((value, part) => (value << 16n) | BigInt(`0x${part}`), 0n), type: 6 }
}

/** The address as text, IPv6 in its canonical short form. */
export function formatIp({ value, type }: IpNumber): string {
  if (type === 4) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.')
  const hextets = Array.from({ length: 8 }, (_, i) =>
    ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16),
  )
  return new URL(`http://[${hextets.join(':')}]`).hostname.slice(1, -1)
}
