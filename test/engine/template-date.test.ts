import { describe, expect, it } from 'vitest'
import { insertsDate } from '../../src/engine/index.js'
import { namesDay } from '../../src/engine/template-date.js'

const NOON = Date.UTC(2026, 10, 30, 12)

describe('the date in a chat template', () => {
  it.each([
    ['Today Date: 30 Nov 2026', true],
    ['Today Date: 29 Nov 2026', true],
    ['Today Date: 01 Dec 2026', true],
    ['Current date: 2026-11-30.', true],
    ['It is Monday, November 30, 2026.', true],
    // The fixed date of Llama 3.1.
    ['Today Date: 26 Jul 2024', false],
    ['Knowledge cutoff: December 2023', false],
    ['2026 is the year of Nov 3.', false],
  ])('%s: %s', (text, expected) => {
    expect(namesDay(text, NOON)).toBe(expected)
  })

  it('is read from the text of a rendered chat', async () => {
    const engine = {
      tokenizeChat: async () => [1, 2],
      detokenize: async (ids: readonly number[]) => (ids.length === 2 ? 'Today Date: 30 Nov 2026' : ''),
    }
    expect(await insertsDate(engine, NOON, new AbortController().signal)).toBe(true)
  })
})
