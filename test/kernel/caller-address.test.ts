import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { createCallerAddress, readTrustedProxies } from '../../src/kernel/caller-address.js'

const requestOf = (remoteAddress: string, forwarded?: string) =>
  ({
    socket: { remoteAddress },
    headersDistinct: forwarded === undefined ? {} : { 'x-forwarded-for': [forwarded] },
  }) as unknown as IncomingMessage

const callerAddressBehind = (proxies: string[]) => createCallerAddress(readTrustedProxies(proxies))

describe('caller address', () => {
  it.each([
    '',
    '/',
    '/8',
    '10.0.0.0/',
    '::/',
    '10.0.0.0/33',
    'fd00::/129',
    '10.0.0.0/-1',
    '10.0.0.0/1e1',
    '10.0.0.0/0x8',
    '10.0.0.0/ 8',
    '10.0.0.0/8/9',
    '0.0.0.0/0',
    '::/0',
    'balancer',
    '10.0.0.1:80',
  ])('rejects the trusted proxy %j instead of trusting every address', (entry) => {
    expect(() => readTrustedProxies([entry])).toThrowError(
      expect.objectContaining({ code: 'BAD_TRUSTED_PROXY', fault: 'usage' }),
    )
  })

  it('accepts addresses and networks of IPv4 and IPv6', () => {
    const read = callerAddressBehind(['10.0.0.0/8', '192.0.2.7', 'fd00::/8', '2001:db8::1'])
    for (const proxy of ['10.200.0.1', '::ffff:10.0.0.1', '192.0.2.7', 'fd12::1', '2001:db8::1']) {
      expect(read(requestOf(proxy, '5.6.7.8'))).toBe('5.6.7.8')
    }
    for (const stranger of ['11.0.0.1', '192.0.2.8']) {
      expect(read(requestOf(stranger, '5.6.7.8'))).toBe(stranger)
    }
    expect(read(requestOf('2001:db8::2', '5.6.7.8'))).toBe('2001:db8:0:0::/64')
  })

  it.each(['', ',', 'unknown', '5.6.7.8:443', '[2001:db8::9]:443', '5.6.7', '1.2.3.4, ', 'a'.repeat(4000)])(
    'counts the proxy itself when the forwarded address is invalid: %j',
    (forwarded) => {
      expect(callerAddressBehind(['10.0.0.0/8'])(requestOf('10.0.0.1', forwarded))).toBe('10.0.0.1')
    },
  )

  it('ignores the zone of an IPv6 address', () => {
    const read = callerAddressBehind(['10.0.0.0/8'])
    expect(read(requestOf('10.0.0.1', '1.2.3.4, fe80::1%eth0'))).toBe('fe80:0:0:0::/64')
    expect(read(requestOf('fe80::1%eth0', '1.2.3.4'))).toBe('fe80:0:0:0::/64')
  })

  it.each([
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:DB8:0:0:ffff::9', '2001:db8:0:0::/64'],
    ['2001:0db8:0000:0001:1:2:3:4', '2001:db8:0:1::/64'],
    ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['64:ff9b::1.2.3.4', '64:ff9b:0:0::/64'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['1.2.3.4', '1.2.3.4'],
  ])('counts all addresses of a /64 network as one: %s', (address, share) => {
    expect(callerAddressBehind([])(requestOf(address))).toBe(share)
  })
})
