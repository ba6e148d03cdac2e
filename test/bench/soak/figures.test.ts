import { expect, test } from 'vitest'
import { judgeSamples } from '../../../bench/soak/figures.js'
import type { Sample } from '../../../bench/soak/sample.js'
import { createRandom } from '../../../src/prompts/index.js'

const SAMPLES = 60

/** Samples of a process that keeps so much of each unit of work. */
function samplesOf(requests: number, kept: Partial<Record<keyof Sample, number>>): Sample[] {
  const random = createRandom('figures')
  const noise = (most: number) => Math.round(most * (random.next() - 0.5))
  return Array.from({ length: SAMPLES }, (_, index) => {
    const work = Math.round(((index + 1) / SAMPLES) * requests)
    const grown = (key: keyof Sample) => Math.round((kept[key] ?? 0) * work)
    return {
      ...{
        work,
        heap: 20e6 + noise(50_000) + grown('heap'),
        code: 2e6 + grown('code'),
        external: 3e6 + grown('external'),
      },
      ...{ resident: 120e6 + noise(2e6) + grown('resident'), descriptors: 30 + grown('descriptors') },
      ...{ resources: 12 + grown('resources'), listeners: 5 + grown('listeners') },
      ...{ database: 2e6 + grown('database'), files: 1e6 + grown('files') },
    }
  })
}

const growing = (samples: Sample[]) =>
  judgeSamples(samples).flatMap(({ figure, isLevel }) => (isLevel ? [] : [figure]))

test('a process that keeps nothing of its work is level in every figure', () => {
  expect(growing(samplesOf(10_000, {}))).toEqual([])
  expect(growing(samplesOf(1_000_000, {}))).toEqual([])
})

test.each([
  ['heap', 120, 'heap, bytes'],
  ['code', 1200, 'compiled code, bytes'],
  ['external', 120, 'memory outside the heap, bytes'],
  ['resident', 3000, 'resident memory, bytes'],
  ['descriptors', 0.01, 'open descriptors'],
  ['resources', 0.01, 'timers and handles'],
  ['listeners', 0.01, 'listeners'],
  ['database', 400, 'database, bytes'],
  ['files', 400, 'other files, bytes'],
] as const)('%s that grows by %d per request is found', (key, kept, name) => {
  expect(growing(samplesOf(10_000, { [key]: kept }))).toEqual([name])
})

test('growth right after the start is ignored, however much work preceded the first sample', () => {
  const samples = samplesOf(1000, {}).map((sample, index) => ({
    ...{ ...sample, work: 9000 + sample.work },
    heap: sample.heap + (index < 15 ? 5e6 - index * 3e5 : 0),
  }))
  const [heap] = judgeSamples(samples)
  expect(heap).toMatchObject({ isLevel: true, most: expect.closeTo(370, -2) })
  expect(heap?.first).toBeLessThan(21e6)
})

test('a leak that is too small to see over a short run is found over a long one', () => {
  expect(growing(samplesOf(3000, { heap: 30 }))).toEqual([])
  expect(growing(samplesOf(300_000, { heap: 30 }))).toEqual(['heap, bytes'])
})
