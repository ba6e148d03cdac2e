import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { openBuckets } from '../../../../src/roles/hub/organics/buckets.js'
import { openRowFolder } from '../../../../src/roles/hub/organics/row-folder.js'
import { openRowStore, type RowStoreOptions } from '../../../../src/roles/hub/organics/row-store.js'
import { unsealed } from '../../../../src/roles/hub/organics/sealing.js'
import { ManualClock } from '../../../support/manual-clock.js'
import { organicRecordOf } from '../../../support/organic-records.js'
import { removeTemporaryFolders, temporaryFolder } from '../../../support/temporary-folder.js'

const ends: AbortController[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end.abort()
})
afterAll(removeTemporaryFolders)

const MINUTE = 60_000

async function bucketsOf({ path = temporaryFolder('buckets'), clock = new ManualClock(), rows = 3 } = {}) {
  const end = new AbortController()
  ends.push(end)
  const log = { warn: () => {} } as unknown as RowStoreOptions['log']
  const store = await openRowStore({
    folder: await openRowFolder(path, unsealed),
    ...{ retainMs: 24 * 60 * MINUTE, maxBytes: 1 << 20, clock, log, signal: end.signal },
  })
  const buckets = await openBuckets({
    ...{ path: join(path, 'bucket.json'), store, rows, ageMs: 20 * MINUTE, clock, random: Math.random },
  })
  const keep = async (count: number, model = 'org/m', prefix = model) => {
    for (let n = 0; n < count; n++)
      store.record(organicRecordOf({ id: `${prefix}-${n}`, model, atMs: clock.now() }))
    await store.close()
  }
  const ask = async (...models: string[]) => {
    const bucket = await buckets.current(models)
    const texts = await Promise.all((bucket?.rows ?? []).map((row) => buckets.read(row)))
    return bucket && { id: bucket.id, ids: texts.map((text) => JSON.parse(String(text ?? null))?.id).sort() }
  }
  return { store, keep, ask, clock, path, drawn: buckets.drawn }
}

test('there is no bucket while nothing is kept, and one as soon as there is', async () => {
  const { keep, ask } = await bucketsOf()
  expect(await ask('org/m')).toBeUndefined()
  await keep(1)
  expect(await ask('org/m')).toMatchObject({ id: expect.stringMatching(/^b_[\w-]{16}$/), ids: ['org/m-0'] })
})

test('every validator gets the same bucket for twenty minutes, then another one without its rows', async () => {
  const { keep, ask, clock, store } = await bucketsOf()
  await keep(8)
  const seen: string[] = []
  for (let turn = 0; turn < 3; turn++) {
    const first = await ask('org/m')
    await keep(turn === 0 ? 1 : 0, 'org/m', 'late')
    await clock.advance(20 * MINUTE - 1)
    expect(await ask('org/m')).toEqual(first)
    await clock.advance(1)
    seen.push(...(first?.ids ?? []))
  }
  expect(await ask('org/m')).toBeUndefined()
  expect(seen).toHaveLength(9)
  expect(new Set(seen).size).toBe(9)
  expect(store.counts().rows, 'rows are deleted after their bucket').toBe(0)
})

test('the status tells of the bucket without drawing one', async () => {
  const { keep, ask, clock, drawn } = await bucketsOf()
  await keep(8)
  expect(drawn()).toBeUndefined()
  await ask('org/m')
  const drawnAtMs = clock.now()
  expect(drawn()).toEqual({ rows: 3, drawnAtMs, endsAtMs: drawnAtMs + 20 * MINUTE })
  await clock.advance(20 * MINUTE)
  expect(drawn()).toBeUndefined()
})

test('validators that ask at the same moment get the same bucket', async () => {
  const { keep, ask } = await bucketsOf()
  await keep(20)
  const all = await Promise.all(Array.from({ length: 10 }, () => ask('org/m')))
  for (const bucket of all) expect(bucket).toEqual(all[0])
})

test('a bucket has rows of the models that validators asked for lately, and of no others', async () => {
  const { keep, ask, clock } = await bucketsOf({ rows: 10 })
  for (const model of ['a', 'b', 'c']) await keep(2, model)
  expect(await ask('unknown')).toBeUndefined()
  expect((await ask('a'))?.ids).toEqual(['a-0', 'a-1'])
  await ask('b')
  await clock.advance(20 * MINUTE)
  expect(await ask('c'), 'b was asked for too long ago').toMatchObject({ ids: ['c-0', 'c-1'] })
})

test('after a restart the bucket is the same, and its rows are in no later one', async () => {
  const first = await bucketsOf()
  await first.keep(5)
  const bucket = await first.ask('org/m')
  const second = await bucketsOf({ path: first.path, clock: new ManualClock(first.clock.now() + MINUTE) })
  expect(await second.ask('org/m')).toEqual(bucket)
  const third = await bucketsOf({ path: first.path, clock: new ManualClock(first.clock.now() + 30 * MINUTE) })
  const next = await third.ask('org/m')
  expect(next?.ids).toHaveLength(2)
  for (const id of next?.ids ?? []) expect(bucket?.ids).not.toContain(id)
})

test('a bucket that was drawn in the future is not kept', async () => {
  const first = await bucketsOf()
  await first.keep(1)
  await first.ask('org/m')
  const past = await bucketsOf({ path: first.path, clock: new ManualClock(first.clock.now() - MINUTE) })
  expect(await past.ask('org/m')).toBeUndefined()
})

test('a damaged note of the last bucket does not stop the hub', async () => {
  const path = temporaryFolder('buckets')
  writeFileSync(join(path, 'bucket.json'), '{"id":')
  const { keep, ask } = await bucketsOf({ path })
  await keep(1)
  expect(await ask('org/m')).toMatchObject({ ids: ['org/m-0'] })
})
