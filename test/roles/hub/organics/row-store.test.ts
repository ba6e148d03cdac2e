import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { openRowFolder } from '../../../../src/roles/hub/organics/row-folder.js'
import { openRowStore, type RowStoreOptions } from '../../../../src/roles/hub/organics/row-store.js'
import { createSealing, type Sealing, unsealed } from '../../../../src/roles/hub/organics/sealing.js'
import { ManualClock } from '../../../support/manual-clock.js'
import { organicRecordOf } from '../../../support/organic-records.js'
import { removeTemporaryFolders, temporaryFolder } from '../../../support/temporary-folder.js'

const ends: AbortController[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end.abort()
})
afterAll(removeTemporaryFolders)

const HOUR = 3_600_000

interface Given extends Partial<Pick<RowStoreOptions, 'retainMs' | 'maxBytes'>> {
  readonly path?: string
  readonly sealing?: Sealing
  readonly clock?: ManualClock
}

async function storeOf({ path = temporaryFolder('organics'), sealing = unsealed, ...given }: Given = {}) {
  const events: string[] = []
  const note = ({ event }: { event: string }) => void events.push(event)
  const log = { debug: note, info: note, warn: note, error: note } as unknown as RowStoreOptions['log']
  const end = new AbortController()
  ends.push(end)
  const clock = given.clock ?? new ManualClock()
  const store = await openRowStore({
    folder: await openRowFolder(path, sealing),
    ...{ retainMs: HOUR, maxBytes: 1 << 20, log, signal: end.signal, ...given, clock },
  })
  const keep = async (...facts: Parameters<typeof organicRecordOf>) => {
    store.record(organicRecordOf(...facts))
    await store.close()
  }
  const ids = async () => {
    const texts = await Promise.all(store.rows().map((row) => store.read(row)))
    return texts.map((text) => JSON.parse(String(text ?? null))?.id)
  }
  return { store, keep, ids, clock, path, events, files: () => readdirSync(path) }
}

test('keeps records in files that only the owner can read', async () => {
  const { keep, ids, path, files } = await storeOf()
  await keep({ id: 'r1' })
  await keep({ id: 'r2' })
  expect(await ids()).toEqual(['r1', 'r2'])
  expect(files()).toHaveLength(2)
  for (const file of files()) expect(statSync(join(path, file)).mode & 0o777).toBe(0o600)
})

test('a later process finds what was kept, and drops a file that was half written', async () => {
  const first = await storeOf()
  for (const id of ['r1', 'r2', 'r3']) await first.keep({ id, atMs: first.clock.now() - 10 + Number(id[1]) })
  const [file = ''] = first.files()
  const whole = readFileSync(join(first.path, file), 'utf8')
  writeFileSync(join(first.path, file), whole.slice(0, 100))
  const lost = /"id":"(r\d)"/.exec(whole)?.[1]
  const second = await storeOf({ path: first.path })
  expect(await second.ids()).toEqual(['r1', 'r2', 'r3'].filter((id) => id !== lost))
  expect(second.files()).toHaveLength(2)
  expect(second.events).toContain('organics-unreadable')
})

test('encrypted rows do not show the prompt on disk and are deleted under another key', async () => {
  const sealing = createSealing(Buffer.alloc(32, 1))
  const first = await storeOf({ sealing })
  await first.keep({ id: 'r1' })
  const [file = ''] = first.files()
  expect(readFileSync(join(first.path, file), 'latin1')).not.toContain('prompt')
  expect(await (await storeOf({ path: first.path, sealing })).ids()).toEqual(['r1'])
  const other = await storeOf({ path: first.path, sealing: createSealing(Buffer.alloc(32, 2)) })
  expect([await other.ids(), other.files()]).toEqual([[], []])
})

test('plain rows are deleted once a key is set', async () => {
  const first = await storeOf()
  await first.keep({ id: 'r1' })
  const second = await storeOf({ path: first.path, sealing: createSealing(Buffer.alloc(32, 1)) })
  expect(second.files()).toEqual([])
})

test('deletes what is older than the retention, also while no request arrives', async () => {
  const { keep, ids, clock, store, files } = await storeOf()
  await keep({ id: 'r1', atMs: clock.now() })
  await clock.advance(HOUR - 60_000)
  await keep({ id: 'r2', atMs: clock.now() })
  await clock.advance(60_000)
  expect(await ids()).toEqual(['r2'])
  await clock.advance(60_000)
  await expect.poll(files).toHaveLength(1)
  await clock.advance(HOUR)
  await expect.poll(files).toEqual([])
  await expect.poll(() => store.counts()).toEqual({ rows: 0, bytes: 0, dropped: 0 })
})

test('deletes at the start what has expired since, and what is from the future', async () => {
  const first = await storeOf()
  await first.keep({ id: 'r1', atMs: first.clock.now() })
  const past = await storeOf({ path: first.path, clock: new ManualClock(first.clock.now() - 1) })
  expect(past.files()).toEqual([])
  await first.keep({ id: 'r2', atMs: first.clock.now() })
  const later = await storeOf({ path: first.path, clock: new ManualClock(first.clock.now() + 2 * HOUR) })
  expect(later.files()).toEqual([])
})

test('the oldest rows are deleted beyond the bound of bytes', async () => {
  const { keep, ids, store } = await storeOf({ maxBytes: 3000 })
  for (let n = 1; n <= 10; n++) await keep({ id: `r${n}` })
  expect(store.counts().bytes).toBeLessThanOrEqual(3000)
  const kept = await ids()
  expect(kept.length).toBeGreaterThan(1)
  expect(kept).toEqual(Array.from({ length: kept.length }, (_, at) => `r${at + 11 - kept.length}`))
})

test('drops records rather than let them wait in memory without bound', async () => {
  const { store } = await storeOf({ maxBytes: 1 << 30 })
  const request = { prompt: 'a'.repeat(7 << 20) }
  for (let n = 0; n < 12; n++) store.record(organicRecordOf({ request }))
  await store.close()
  expect(store.counts()).toMatchObject({ rows: 4, dropped: 8 })
})

test('drops records, however small, once a thousand wait for the disk', async () => {
  const { store } = await storeOf({ maxBytes: 1 << 30 })
  for (let n = 0; n < 1200; n++) store.record(organicRecordOf())
  expect(store.counts()).toMatchObject({ rows: 0, dropped: 200 })
  await store.close()
  expect(store.counts()).toMatchObject({ rows: 1000, dropped: 200 })
})

test('writes several records at the same time, and keeps their order', async () => {
  let open = 0
  let most = 0
  const sealing: Sealing = {
    ...unsealed,
    seal: function* (portions) {
      most = Math.max(most, ++open)
      yield* portions
      open--
    },
  }
  const { store, ids } = await storeOf({ sealing })
  const names = Array.from({ length: 40 }, (_, n) => `r${n}`)
  for (const id of names) store.record(organicRecordOf({ id }))
  await store.close()
  expect(most).toBeGreaterThan(4)
  expect(await ids()).toEqual(names)
})

test('a folder that is gone loses records, says so once, and works again later', async () => {
  const { keep, ids, store, path, events } = await storeOf()
  rmSync(path, { recursive: true })
  await keep({ id: 'r1' })
  await keep({ id: 'r2' })
  expect(store.counts()).toMatchObject({ rows: 0, dropped: 2 })
  expect(events).toEqual(['organics-not-written'])
  await openRowFolder(path, unsealed)
  await keep({ id: 'r3' })
  expect(await ids()).toEqual(['r3'])
})

test('leaves other files in the folder alone', async () => {
  const path = temporaryFolder('organics')
  writeFileSync(join(path, 'bucket.json'), '{}')
  chmodSync(path, 0o700)
  const { files } = await storeOf({ path })
  expect(files()).toEqual(['bucket.json'])
})

test('serves others between the portions of a long answer', async () => {
  let turn = 0
  let isOver = false
  const count = () => {
    turn++
    if (!isOver) setImmediate(count)
  }
  const pieces: { bytes: number; turn: number }[] = []
  const sealing: Sealing = {
    ...unsealed,
    seal: function* (portions) {
      for (const portion of portions) {
        pieces.push({ bytes: portion.length, turn })
        yield portion
      }
    },
  }
  const { keep, ids } = await storeOf({ sealing, maxBytes: 1 << 24 })
  setImmediate(count)
  const chunk = { choices: [{ delta: { content: 'some text' } }] }
  await keep({ id: 'long', response: Array(16_384).fill(chunk) })
  isOver = true
  expect(pieces.length).toBeGreaterThan(20)
  expect(Math.max(...pieces.map(({ bytes }) => bytes))).toBeLessThan(40_000)
  expect(new Set(pieces.map((piece) => piece.turn)).size).toBe(pieces.length)
  expect(await ids()).toEqual(['long'])
})

test('leaves nothing of a row whose write failed', async () => {
  const sealing: Sealing = {
    ...unsealed,
    seal: function* (portions) {
      yield* [...portions].slice(0, 1)
      throw new Error('the disk is full')
    },
  }
  const { keep, files, store } = await storeOf({ sealing })
  await keep({ id: 'r1' })
  expect(files()).toEqual([])
  expect(store.counts()).toMatchObject({ rows: 0, dropped: 1 })
})
