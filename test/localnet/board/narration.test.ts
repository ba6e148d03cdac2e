import { describe, expect, it } from 'vitest'
import { narrateChange } from '../../../src/localnet/board/narration.js'
import { caught, snapshotOf, verified } from './subnet.js'

describe('narrateChange', () => {
  it('reports each new verdict once, and the weights of an epoch', () => {
    const before = snapshotOf([verified])
    const after = snapshotOf([verified, caught], [{ uid: 1, weightU16: 65535 }], 1)
    const lines = narrateChange(before, after)
    expect(lines[0]).toBe('block 31  uid 5 cheat-other-model  failed: UNLIKELY_TOKENS')
    expect(lines[1]).toContain('epoch 1 done, weights on chain: honest-fast 65535, honest-medium 0')
    expect(narrateChange(after, after)).toEqual([])
  })
})
