import fc from 'fast-check'
import { expect, it } from 'vitest'
import { applyChange, ChangeTracker, type LiveDocument } from '../../src/page/document-change.js'

const KEYS = { status: { miners: 'hotkey' } }

const row = fc.record({ hotkey: fc.constantFrom('a', 'b', 'c', 'd'), score: fc.integer({ min: 0, max: 3 }) })
const status = fc.record(
  {
    block: fc.integer({ min: 0, max: 3 }),
    weights: fc.option(fc.record({ block: fc.integer({ min: 0, max: 2 }) })),
    miners: fc.uniqueArray(row, { selector: ({ hotkey }) => hotkey }),
    models: fc.array(fc.constantFrom('m', 'n')),
  },
  { requiredKeys: ['block', 'miners'] },
)

/** Rows compare by key, because the page sorts them itself. */
function sorted(document: LiveDocument | undefined): unknown {
  const { miners, ...rest } = document?.status ?? {}
  const list = (Array.isArray(miners) ? miners : []) as { readonly hotkey: string }[]
  return { ...rest, miners: [...list].sort((a, b) => a.hotkey.localeCompare(b.hotkey)) }
}

it('brings a page that applies every change to the newest document', () => {
  fc.assert(
    fc.property(fc.array(status, { minLength: 1, maxLength: 6 }), (states) => {
      const tracker = new ChangeTracker(KEYS)
      let page: LiveDocument = { status: {} }
      for (const state of states) {
        const document = JSON.parse(JSON.stringify({ status: state })) as LiveDocument
        const change = tracker.update(document)
        if (change) page = applyChange(page, JSON.parse(JSON.stringify(change)))
        expect(sorted(page)).toEqual(sorted(document))
        expect(tracker.update(document)).toBeUndefined()
      }
    }),
  )
})

it('sends only the rows that differ, and leaves the others the same objects', () => {
  const tracker = new ChangeTracker(KEYS)
  const miners = Array.from({ length: 1000 }, (_, uid) => ({ hotkey: `5Miner${uid}`, score: 1 }))
  const before = { status: { block: 1, miners } }
  tracker.update(before)
  const after = { status: { block: 1, miners: miners.with(7, { hotkey: '5Miner7', score: 2 }) } }
  const change = tracker.update(after)
  expect(change).toEqual({
    status: { rows: { miners: { key: 'hotkey', put: [{ hotkey: '5Miner7', score: 2 }], drop: [] } } },
  })
  const page = applyChange(before, change ?? {})
  const rows = page.status?.miners as unknown[] | undefined
  expect(rows?.[0]).toBe(miners[0])
  expect(rows?.[7]).toEqual({ hotkey: '5Miner7', score: 2 })
})

it('removes fields and rows that are gone', () => {
  const tracker = new ChangeTracker(KEYS)
  const before = { status: { reason: 'x', miners: [{ hotkey: 'a' }, { hotkey: 'b' }] } }
  tracker.update(before)
  const change = tracker.update({ status: { miners: [{ hotkey: 'b' }] } })
  expect(change).toEqual({
    status: { unset: ['reason'], rows: { miners: { key: 'hotkey', put: [], drop: ['a'] } } },
  })
  expect(applyChange(before, change ?? {})).toEqual({ status: { miners: [{ hotkey: 'b' }] } })
})
