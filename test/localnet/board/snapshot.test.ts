import { describe, expect, it } from 'vitest'
import { reportOf } from '../../../src/localnet/board/index.js'
import { snapshotOf, verified } from './subnet.js'

describe('reportOf', () => {
  it('has the documented fields, with weights from the chain rather than the validator', () => {
    const report = reportOf(snapshotOf([verified], [{ uid: 1, weightU16: 65535 }], 2))
    expect(report.epochs).toBe(2)
    expect(report.miners[0]).toEqual({
      uid: 1,
      hotkey: 'hk-1',
      behaviour: 'honest',
      models: ['targon-dev/small-a'],
      verdicts: { verified: 3, inconclusive: 0, failed: {} },
      meanTokensPerSecond: 158.2,
      score: 157.1,
      evidence: 'clean',
      weightU16: 65535,
    })
    expect(report.miners).toHaveLength(9)
  })
})
