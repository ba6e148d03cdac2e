import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ScaleError, ScaleReader } from '../../src/chain/scale-reader.js'

const reader = (hex: string) => new ScaleReader(Buffer.from(hex, 'hex'))

describe('ScaleReader', () => {
  it('reads little-endian integers one after the other', () => {
    const bytes = reader(`ff${'feff'}${'01000000'}${'ffffffffffffffff'}${'0100000000000000'.repeat(2)}`)
    expect([bytes.i8(), bytes.u16(), bytes.u32(), bytes.i64(), bytes.u128()]).toEqual([
      -1,
      65_534,
      1,
      -1n,
      (1n << 64n) + 1n,
    ])
    expect(bytes.remaining).toBe(0)
    expect(reader('ff'.repeat(16)).i128()).toBe(-1n)
    expect(reader(`01${'00'.repeat(31)}`).u256()).toBe(1n)
  })

  it.each([
    ['00', 0],
    ['fc', 63],
    ['0101', 64],
    ['feffffff', 2 ** 30 - 1],
    ['0300000040', 1n << 30n],
    ['13ffffffffffffffff', (1n << 64n) - 1n],
  ])('reads compact %s as %s', (hex, value) => {
    expect(reader(hex).compact()).toBe(value)
  })

  it('reads slices of views at an offset', () => {
    const bytes = new ScaleReader(Buffer.from('00010203', 'hex').subarray(1))
    expect(bytes.u8()).toBe(1)
    expect([...bytes.take(2)]).toEqual([2, 3])
  })

  it.each([
    ['a value that ends early', (bytes: ScaleReader) => bytes.u64(), '00000000'],
    ['a bool other than 0 and 1', (bytes: ScaleReader) => bytes.bool(), '02'],
    ['a collection longer than the bytes', (bytes: ScaleReader) => bytes.length(), 'feffffff'],
  ])('rejects %s', (_, read, hex) => {
    expect(() => read(reader(hex))).toThrow(ScaleError)
  })

  it('never reads beyond the end, for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (data) => {
        const bytes = new ScaleReader(data)
        try {
          for (;;) bytes.take(bytes.length())
        } catch (error) {
          expect(error).toBeInstanceOf(ScaleError)
        }
        expect(bytes.remaining).toBeGreaterThanOrEqual(0)
      }),
    )
  })
})
