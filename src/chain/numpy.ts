/**
 * numpy's arithmetic as far as the SDK's results depend on it: rounding to the array type after every step, and the
 * pairwise summation of `np.sum` (numpy/_core/src/umath/loops_utils.h.src, pairwise_sum).
 */

export interface Arithmetic {
  /** Rounds to the array type. */
  readonly round: (value: number) => number
  readonly sum: (values: readonly number[]) => number
}

export const float32 = arithmetic(Math.fround)
export const float64 = arithmetic((value) => value)

const BLOCK = 128

function arithmetic(round: (value: number) => number): Arithmetic {
  function pairwise(values: readonly number[], from: number, count: number): number {
    const at = (index: number) => values[from + index] ?? 0
    if (count < 8) {
      let total = -0
      for (let index = 0; index < count; index++) total = round(total + at(index))
      return total
    }
    if (count <= BLOCK) {
      const lanes = Array.from({ length: 8 }, (_, lane) => at(lane))
      const whole = count - (count % 8)
      for (let index = 8; index < whole; index++) {
        lanes[index % 8] = round((lanes[index % 8] ?? 0) + at(index))
      }
      const pair = (a: number, b: number) => round((lanes[a] ?? 0) + (lanes[b] ?? 0))
      let total = round(round(pair(0, 1) + pair(2, 3)) + round(pair(4, 5) + pair(6, 7)))
      for (let index = whole; index < count; index++) total = round(total + at(index))
      return total
    }
    const half = Math.floor(count / 2) - (Math.floor(count / 2) % 8)
    return round(pairwise(values, from, half) + pairwise(values, from + half, count - half))
  }
  return { round, sum: (values) => pairwise(values, 0, values.length) }
}
