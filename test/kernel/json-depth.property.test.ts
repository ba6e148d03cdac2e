import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { exceedsJsonBounds, exceedsJsonDepth } from '../../src/kernel/json-depth.js'

/** What the scan is compared with: the depth and the number of values of parsed JSON. */
function measure(value: unknown): { depth: number; values: number } {
  if (typeof value !== 'object' || value === null) return { depth: 0, values: 1 }
  const parts = Object.values(value).map(measure)
  // A container costs one value, each of its parts what it holds, and an empty one counts as two.
  const values = Math.max(2, 1 + parts.reduce((sum, part) => sum + part.values, 0))
  return { depth: 1 + Math.max(0, ...parts.map(({ depth }) => depth)), values }
}

/** Strings of nothing but what a careless scan would miscount. */
const nasty = fc.string({ unit: fc.constantFrom('"', '\\', '[', ']', '{', '}', ',', 'é', '\u2028', 'x') })
const { value: json } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 12, withCrossShrink: true },
    fc.oneof(nasty, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      nasty.filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 4, noNullPrototype: true },
    ),
  ),
}))

describe('exceedsJsonDepth', () => {
  it('agrees with the parsed value, for text and for bytes, however the text is spaced', () => {
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        const { depth, values } = measure(value)
        for (const input of [text, Buffer.from(text)]) {
          expect(exceedsJsonDepth(input, depth)).toBe(false)
          if (depth > 0) expect(exceedsJsonDepth(input, depth - 1)).toBe(true)
          expect(exceedsJsonBounds(input, { depth, values })).toBe(false)
          if (depth > 0) expect(exceedsJsonBounds(input, { depth, values: values - 1 })).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    ['1', 0],
    ['"[[[["', 0],
    ['"\\"[[[["', 0],
    ['["\\\\",[]]', 2],
    ['["\\\\\\"[[[[",[]]', 2],
    ['{"[[[":{"]]]":[]}}', 3],
    ['[[],[],[[]]]', 3],
    ['"\\ud800["', 0],
    ['"\\', 0],
    ['"', 0],
    ['', 0],
  ])('reads strings and escapes exactly: %s', (text, depth) => {
    for (const input of [text, Buffer.from(text)]) {
      expect(exceedsJsonDepth(input, depth)).toBe(false)
      if (depth > 0) expect(exceedsJsonDepth(input, depth - 1)).toBe(true)
    }
  })

  it('judges text that is not JSON up to where it is rejected', () => {
    for (const text of ['['.repeat(33), `${'{"a":'.repeat(33)}}}}}}`, `${'['.repeat(33)}x`])
      expect(exceedsJsonDepth(text, 32)).toBe(true)
  })

  it('bounds the number of values apart from their depth', () => {
    const flat = `[${'{},'.repeat(1000)}0]`
    expect(exceedsJsonBounds(flat, { depth: 2, values: 2002 })).toBe(false)
    expect(exceedsJsonBounds(flat, { depth: 2, values: 2001 })).toBe(true)
    expect(exceedsJsonBounds(flat, { depth: 1, values: 5000 })).toBe(true)
  })
})
