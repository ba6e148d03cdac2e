/** A figure of a process after that much work. */
export type Point = readonly [work: number, value: number]

/** The slope of a figure after the warm-up, per unit of work, with its interval. */
export interface Growth {
  readonly slope: number
  readonly low: number
  readonly high: number
  /** Whether it is indistinguishable from 0, or smaller than what is allowed. */
  readonly isLevel: boolean
}

export interface GrowthTest {
  /** A growth whose interval ends below this passes. */
  readonly most: number
  /** 0 ≤ x < 1, for the resamples. */
  readonly random: () => number
}

/** The first part of the work between the samples: pools and caches fill, and functions are compiled. */
const WARM_UP = 0.3
const CONFIDENCE = 0.99
const RESAMPLES = 1000
/** Neighbouring samples share the state of the collector, so they are drawn together. */
const BLOCKS = 8

/** The samples after the warm-up. */
export function settledAmong<Sample>(
  samples: readonly Sample[],
  workOf: (sample: Sample) => number,
): Sample[] {
  const [first = 0, last = 0] = [samples[0], samples.at(-1)].map((sample) => sample && workOf(sample))
  return samples.filter((sample) => workOf(sample) > first + (last - first) * WARM_UP)
}

/**
 * Tests whether a figure grows with the work: Theil and Sen's slope of the points after the warm-up, with its 99 % interval by
 * a bootstrap over blocks of neighbouring points. It is level when the interval contains 0 or ends below `most`.
 *
 * @throws RangeError with fewer than 16 points after the warm-up
 */
export function testGrowth(points: readonly Point[], { most, random }: GrowthTest): Growth {
  const settled = settledAmong(points, ([work]) => work)
  if (settled.length < 2 * BLOCKS) throw new RangeError(`${settled.length} samples are too few for a slope.`)
  const pairs = pairsOf(settled)
  const slopes = Float64Array.from({ length: RESAMPLES }, () =>
    medianAmong(pairs, drawBlocks(settled.length, random)),
  ).sort()
  const outside = (1 - CONFIDENCE) / 2
  const at = (share: number) => slopes[Math.round(share * (RESAMPLES - 1))] ?? Number.NaN
  const [low, high] = [at(outside), at(1 - outside)]
  const isLevel = (low <= 0 && high >= 0) || high < most
  return { slope: medianAmong(pairs, new Uint8Array(settled.length).fill(1)), low, high, isLevel }
}

interface Pair {
  readonly first: number
  readonly second: number
  readonly slope: number
}

/** The slopes between all pairs of points, in order of size: a resample's median is then found without sorting again. */
function pairsOf(points: readonly Point[]): Pair[] {
  return points
    .flatMap(([work, value], first) =>
      points.slice(first + 1).map(([otherWork, otherValue], index) => {
        return { first, second: first + 1 + index, slope: (otherValue - value) / (otherWork - work) }
      }),
    )
    .filter(({ slope }) => Number.isFinite(slope))
    .sort((a, b) => a.slope - b.slope)
}

/** As many blocks as the points have, each starting anywhere. @returns which points are among them */
function drawBlocks(count: number, random: () => number): Uint8Array {
  const length = Math.floor(count / BLOCKS)
  const drawn = new Uint8Array(count)
  for (let block = 0; block < BLOCKS; block++) {
    const start = Math.floor(random() * (count - length + 1))
    drawn.fill(1, start, start + length)
  }
  return drawn
}

function medianAmong(pairs: readonly Pair[], drawn: Uint8Array): number {
  const among = pairs.filter(({ first, second }) => drawn[first] === 1 && drawn[second] === 1)
  return among[among.length >> 1]?.slope ?? Number.NaN
}
