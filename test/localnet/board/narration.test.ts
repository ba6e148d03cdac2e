import { describe, expect, it } from 'vitest'
import { narrateChange } from '../../../src/localnet/board/narration.js'
import { accused, caught, snapshotOf, verified } from './subnet.js'

describe('narrateChange', () => {
  it('reports each new verdict once, and the weights of an epoch', () => {
    const before = snapshotOf([verified])
    const after = snapshotOf([verified, caught], [{ uid: 1, weightU16: 65535 }], 1)
    const lines = narrateChange(before, after)
    expect(lines[0]).toBe('block 31  uid 5 cheat-other-model  failed: UNLIKELY_TOKENS')
    expect(lines[1]).toContain('epoch 1 done, weights on chain: honest-fast 65535, honest-medium 0')
    expect(narrateChange(after, after)).toEqual([])
  })

  it('reports what evidence says when it changes', () => {
    const [clean, suspected, barred] = [
      snapshotOf([verified]),
      snapshotOf([verified, accused('suspected')]),
      snapshotOf([verified, accused('barred')]),
    ]
    expect(narrateChange(clean, suspected)).toContain(
      'block 31  uid 9 cheat-int4  evidence: suspected. The answers differ from the model by more than other hardware explains.',
    )
    expect(narrateChange(suspected, barred)).toHaveLength(1)
    expect(narrateChange(barred, barred)).toEqual([])
    expect(narrateChange(barred, snapshotOf([verified]))).toEqual([
      'block 31  uid 9 cheat-int4  evidence: clean',
    ])
  })
})
