import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createHeadStream } from '../../src/chain/head-stream.js'
import { settle } from '../support/manual-clock.js'

const head = (number: number) => ({ number, hash: `0x${number}` })

describe('HeadStream', () => {
  it('yields strictly increasing numbers for any gaps, repeats and re-orgs', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 50 }), { maxLength: 60 }), async (numbers) => {
        const stream = createHeadStream()
        const end = new AbortController()
        const seen: number[] = []
        const reading = (async () => {
          for await (const { number } of stream.read(end.signal)) seen.push(number)
        })()
        for (const number of numbers) {
          stream.publish(head(number))
          await settle()
        }
        end.abort()
        await reading
        const rising = numbers.filter((number, i) => number > Math.max(-1, ...numbers.slice(0, i)))
        expect(seen).toEqual(rising)
      }),
      { numRuns: 50 },
    )
  })

  it('gives a slow reader the newest head, not a queue', async () => {
    const stream = createHeadStream()
    const reader = stream.read(new AbortController().signal)[Symbol.asyncIterator]()
    stream.publish(head(1))
    expect((await reader.next()).value).toEqual(head(1))
    for (let number = 2; number <= 1000; number++) stream.publish(head(number))
    expect((await reader.next()).value).toEqual(head(1000))
  })

  it('ends for every reader when closed', async () => {
    const stream = createHeadStream()
    const ends = [1, 2, 3].map(() => stream.read(new AbortController().signal)[Symbol.asyncIterator]().next())
    stream.close()
    expect((await Promise.all(ends)).every(({ done }) => done)).toBe(true)
    expect(stream.publish(head(1))).toBe(false)
  })

  it('never goes back, and reports which heads are new', () => {
    const stream = createHeadStream()
    const published = [5, 5, 4, 7, 6, 8].map((number) => stream.publish({ number, hash: `0x${number}` }))
    expect(published).toEqual([true, false, false, true, false, true])
    expect(stream.latest?.number).toBe(8)
  })
})
