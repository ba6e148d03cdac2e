/** A fast stream of random numbers for simulations: mulberry32, the same on every machine. */
export interface FastRandom {
  /** 0 < x < 1. */
  uniform(): number
  /** Standard normal (Box–Muller). */
  normal(): number
}

export function fastRandom(seed: number): FastRandom {
  let state = seed | 0
  let spare: number | undefined
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0
    let word = Math.imul(state ^ (state >>> 15), 1 | state)
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word
    return (((word ^ (word >>> 14)) >>> 0) + 0.5) / 2 ** 32
  }
  const normal = () => {
    if (spare !== undefined) {
      const value = spare
      spare = undefined
      return value
    }
    const radius = Math.sqrt(-2 * Math.log(uniform()))
    const angle = 2 * Math.PI * uniform()
    spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }
  return { uniform, normal }
}
