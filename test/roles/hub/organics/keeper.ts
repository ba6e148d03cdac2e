import { systemClock } from '../../../../src/kernel/index.js'
import { openBuckets } from '../../../../src/roles/hub/organics/buckets.js'
import { openRowFolder } from '../../../../src/roles/hub/organics/row-folder.js'
import { openRowStore } from '../../../../src/roles/hub/organics/row-store.js'
import { createSealing } from '../../../../src/roles/hub/organics/sealing.js'
import { organicRecordOf } from '../../../support/organic-records.js'

/** Keeps records and hands out buckets as fast as it can, and prints each bucket: keeper.ts FOLDER. */
const [folder = ''] = process.argv.slice(2)
const log = { debug() {}, info() {}, warn() {}, error() {}, isLevelEnabled: () => false, child: () => log }
const { signal } = new AbortController()
const store = await openRowStore({
  folder: await openRowFolder(folder, createSealing(Buffer.alloc(32, 7))),
  ...{ retainMs: 60_000, maxBytes: 1 << 24, clock: systemClock, log, signal },
})
const buckets = await openBuckets({
  ...{ path: `${folder}/bucket.json`, store, rows: 5, ageMs: 20, clock: systemClock, random: Math.random },
})
for (let number = 0; ; number++) {
  store.record(organicRecordOf({ id: `${process.pid}-${number}`, atMs: Date.now() - 1 }))
  if (number % 5 > 0) continue
  const bucket = await buckets.current(['org/m'])
  const texts = await Promise.all((bucket?.rows ?? []).map((row) => buckets.read(row)))
  const ids = texts.flatMap((text) => (text === undefined ? [] : [JSON.parse(String(text)).id]))
  if (bucket) process.stdout.write(`${JSON.stringify({ bucket: bucket.id, ids })}\n`)
  await systemClock.sleep(2)
}
