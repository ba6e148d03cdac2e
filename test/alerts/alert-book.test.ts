import { describe, expect, it } from 'vitest'
import { AlertBook } from '../../src/alerts/alert-book.js'
import { ManualClock } from '../support/manual-clock.js'

const engine = { id: 'engine-not-ready', severity: 'warning', forMs: 120_000 } as const
const stale = { id: 'chain-stale', severity: 'critical', forMs: 0 } as const
const a = { subject: 'org/a', sentence: 'The engine of org/a is not ready.' }
const b = { subject: 'org/b', sentence: 'The engine of org/b is not ready.' }

function bookWith(repeatMs = 0) {
  const clock = new ManualClock()
  const book = new AlertBook(clock, { repeatMs })
  return { clock, book }
}

describe('an alert', () => {
  it('is raised once when the finding has lasted long enough', async () => {
    const { clock, book } = bookWith()
    expect(book.observe(engine, [a])).toEqual([])
    await clock.advance(119_000)
    expect(book.observe(engine, [a])).toEqual([])
    expect(book.active()).toEqual([])
    await clock.advance(1000)
    const [raised, ...others] = book.observe(engine, [a])
    expect(others).toEqual([])
    expect(raised).toMatchObject({ kind: 'raised', lastedMs: 0, alert: { id: engine.id, ...a } })
    expect(raised?.alert.since).toBe(new Date(clock.now()).toISOString())
    await clock.advance(3_600_000)
    expect(book.observe(engine, [a])).toEqual([])
    expect(book.active()).toEqual([raised?.alert])
  })

  it('is not raised by a finding that keeps coming and going', async () => {
    const { clock, book } = bookWith()
    for (let round = 0; round < 20; round++) {
      expect(book.observe(engine, [a])).toEqual([])
      await clock.advance(60_000)
      expect(book.observe(engine, [])).toEqual([])
      await clock.advance(60_000)
    }
  })

  it('is resolved only after the finding has been absent for a minute', async () => {
    const { clock, book } = bookWith()
    book.observe(stale, [{ sentence: 'No new block has arrived.' }])
    await clock.advance(600_000)
    expect(book.observe(stale, [])).toEqual([])
    await clock.advance(30_000)
    expect(book.observe(stale, [{ sentence: 'No new block has arrived.' }])).toEqual([])
    await clock.advance(30_000)
    expect(book.observe(stale, [])).toEqual([])
    expect(book.active()).toHaveLength(1)
    await clock.advance(60_000)
    expect(book.observe(stale, [])).toMatchObject([{ kind: 'resolved', lastedMs: 660_000 }])
    expect(book.active()).toEqual([])
  })

  it('stands for each subject on its own, and leaves those of other conditions alone', async () => {
    const { clock, book } = bookWith()
    book.observe(stale, [{ sentence: 'No new block has arrived.' }])
    book.observe(engine, [a, b])
    await clock.advance(120_000)
    expect(book.observe(engine, [a, b])).toHaveLength(2)
    book.observe(engine, [b])
    await clock.advance(60_000)
    expect(book.observe(engine, [b])).toMatchObject([{ kind: 'resolved', alert: { subject: 'org/a' } }])
    expect(book.active().map(({ id, subject }) => [id, subject])).toEqual([
      ['chain-stale', undefined],
      ['engine-not-ready', 'org/b'],
    ])
  })

  it('shows its newest sentence without a new message', async () => {
    const { clock, book } = bookWith()
    book.observe(stale, [{ sentence: 'No new block for 121 s.' }])
    await clock.advance(15_000)
    expect(book.observe(stale, [{ sentence: 'No new block for 136 s.' }])).toEqual([])
    expect(book.active()).toMatchObject([{ sentence: 'No new block for 136 s.' }])
  })

  it('is told again after the repeat time while it stands', async () => {
    const { clock, book } = bookWith(3_600_000)
    book.observe(stale, [{ sentence: 'No new block.' }])
    await clock.advance(3_599_000)
    expect(book.observe(stale, [{ sentence: 'No new block.' }])).toEqual([])
    await clock.advance(1000)
    expect(book.observe(stale, [{ sentence: 'No new block.' }])).toMatchObject([
      { kind: 'reminder', lastedMs: 3_600_000 },
    ])
    expect(book.observe(stale, [{ sentence: 'No new block.' }])).toEqual([])
  })

  it('names no password of an address', () => {
    const { book } = bookWith()
    const [change] = book.observe(stale, [{ sentence: 'No answer from wss://me:hunter2@chain.example.' }])
    expect(change?.alert.sentence).toBe('No answer from wss://me:[redacted]@chain.example.')
  })

  it('is bounded in number and length, because names and reasons come from others', () => {
    const { book } = bookWith()
    const many = Array.from({ length: 1000 }, (_, index) => ({
      subject: `${index}${'x'.repeat(10_000)}`,
      sentence: 'y'.repeat(10_000),
      next: 'z'.repeat(10_000),
    }))
    const changes = book.observe(stale, [...many, ...many])
    expect(changes).toHaveLength(50)
    expect(JSON.stringify(changes).length).toBeLessThan(50 * 2000)
  })
})
