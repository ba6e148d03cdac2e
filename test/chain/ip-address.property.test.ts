import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatIp, parseIp } from '../../src/chain/ip-address.js'

describe('parseIp and formatIp', () => {
  it.each([
    ['1.2.3.4', 16_909_060n, 4],
    ['127.0.0.1', 0x7f000001n, 4],
    ['::1', 1n, 6],
    ['::', 0n, 6],
    ['2001:db8::7', 0x20010db8000000000000000000000007n, 6],
    ['::ffff:1.2.3.4', 0xffff01020304n, 6],
  ])('parse %s', (text, value, type) => {
    expect(parseIp(text)).toEqual({ value, type })
  })

  it.each([
    '',
    'example.org',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '01.2.3.4',
    '[::1]',
    'fe80::1%eth0',
    '1.2.3.4 ',
  ])('reject %j', (text) => expect(parseIp(text)).toBeUndefined())

  it('round-trip both families', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }), (value) => {
        expect(parseIp(formatIp({ value, type: 4 }))).toEqual({ value, type: 4 })
      }),
    )
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), (value) => {
        expect(parseIp(formatIp({ value, type: 6 }))).toEqual({ value, type: 6 })
      }),
    )
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const parsed = parseIp(text)
        expect(parsed && parseIp(formatIp(parsed))).toEqual(parsed)
      }),
    )
  })
})
