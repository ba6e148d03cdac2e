import { describe, expect, it } from 'vitest'
import { type Gpu, planFleet, weightBytes } from '../../../src/engine/index.js'

const gpu = (id: number, freeMib: number, totalMib = 81_920): Gpu => ({ id, freeMib, totalMib })

describe('planFleet', () => {
  it('keeps a running model whose GPUs no earlier model needs', () => {
    const plan = planFleet(
      ['org/new', 'org/old'],
      new Map([
        ['org/new', 16_000],
        ['org/old', 16_000],
      ]),
      [gpu(0, 3_000), gpu(1, 81_000)],
      [{ model: 'org/old', gpuIds: [0] }],
    )
    expect(plan.placements).toEqual([
      { model: 'org/new', gpuIds: [1] },
      { model: 'org/old', gpuIds: [0] },
    ])
  })

  it('gives the GPUs of a running model to a model earlier in the order', () => {
    const plan = planFleet(
      ['org/new', 'org/old'],
      new Map([
        ['org/new', 16_000],
        ['org/old', 16_000],
      ]),
      [gpu(0, 3_000)],
      [{ model: 'org/old', gpuIds: [0] }],
    )
    expect(plan.placements).toEqual([{ model: 'org/new', gpuIds: [0] }])
    expect(plan.unplaced.map(({ model }) => model)).toEqual(['org/old'])
  })

  it('does not use GPUs that other processes fill', () => {
    const plan = planFleet(['org/a'], new Map([['org/a', 10]]), [gpu(0, 40_000)], [])
    expect(plan.unplaced[0]?.reason).toContain('0 of 1 GPUs are more than 90 % free')
  })
})

describe('weightBytes', () => {
  it('counts each type by its width', () => {
    expect(weightBytes({ BF16: 8_030_261_248 })).toBe(16_060_522_496)
    expect(weightBytes({ F8_E4M3: 10, F32: 1, ODD: 1 })).toBe(16)
  })
})
