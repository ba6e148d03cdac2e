import { createRandom } from '../../src/prompts/index.js'
import { type Growth, settledAmong, testGrowth } from './growth.js'
import type { Holdings, Sample } from './sample.js'

/** One judged figure of a process under test. */
export interface Judged extends Growth {
  readonly figure: string
  /** After the warm-up, and at the end. */
  readonly first: number
  readonly last: number
  /** The growth per unit of work that would pass whatever the interval. */
  readonly most: number
}

interface Figure {
  readonly name: string
  /** Growth per request or answer that passes. */
  readonly perWork: number
  /** Growth in all that passes: over a short run, functions that are compiled late weigh more than a leak of this size. */
  readonly inAll: number
}

const MEGABYTE = 1 << 20

/** Less than the shortest thing that a request could leave behind in JavaScript is 16 bytes. */
const FIGURES: Readonly<Record<keyof Holdings, Figure>> = {
  heap: { name: 'heap, bytes', perWork: 16, inAll: MEGABYTE / 4 },
  code: { name: 'compiled code, bytes', perWork: 16, inAll: 4 * MEGABYTE },
  external: { name: 'memory outside the heap, bytes', perWork: 16, inAll: MEGABYTE / 4 },
  resident: { name: 'resident memory, bytes', perWork: 64, inAll: 16 * MEGABYTE },
  descriptors: { name: 'open descriptors', perWork: 0, inAll: 4 },
  resources: { name: 'timers and handles', perWork: 0, inAll: 4 },
  listeners: { name: 'listeners', perWork: 0, inAll: 4 },
  database: { name: 'database, bytes', perWork: 16, inAll: MEGABYTE },
  files: { name: 'other files, bytes', perWork: 16, inAll: MEGABYTE },
}

/** Tests every figure of these samples for growth with the work. */
export function judgeSamples(samples: readonly Sample[]): Judged[] {
  const settled = settledAmong(samples, ({ work }) => work)
  const [first, last] = [settled[0], settled.at(-1)]
  const worked = (last?.work ?? 0) - (first?.work ?? 0)
  const random = createRandom('soak')
  return (Object.keys(FIGURES) as (keyof Holdings)[]).map((key) => {
    const { name, perWork, inAll } = FIGURES[key]
    const most = Math.max(perWork, inAll / worked)
    const points = samples.map((sample) => [sample.work, sample[key]] as const)
    const growth = testGrowth(points, { most, random: () => random.next() })
    return {
      ...{ figure: name, first: first?.[key] ?? Number.NaN, last: last?.[key] ?? Number.NaN },
      ...{ most, ...growth },
    }
  })
}
