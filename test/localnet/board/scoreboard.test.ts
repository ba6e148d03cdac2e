import { describe, expect, it } from 'vitest'
import { composeSnapshot, narrateChange, renderBoard } from '../../../src/localnet/board/index.js'
import { addresses, miner, snapshotOf, verified } from './subnet.js'

const caught = miner(5, {
  verdicts: { verified: 0, inconclusive: 0, failed: { UNLIKELY_TOKENS: 2, BAD_STREAM: 1 } },
  last: { kind: 'failed', cause: 'UNLIKELY_TOKENS', model: 'targon-dev/small-a' },
})

describe('renderBoard', () => {
  const snapshot = snapshotOf([verified, caught], [{ uid: 1, weightU16: 65535 }], 1)

  it('shows the block, the countdown and each miner with its last verdict and weight on chain', () => {
    const board = renderBoard(snapshot, { fancy: false })
    expect(board).toContain('block 31 · next weights in 29 blocks · epochs done: 1 · rounds: 4')
    expect(board).toMatch(/1\s+honest-fast\s+small-a\s+3\s+0\s+verified\s+158\.2\s+157\.1\s+65535/)
    expect(board).toMatch(
      /5\s+cheat-other-model\s+small-a\s+0\s+3\s+failed: UNLIKELY_TOKENS\s+0\.0\s+0\.0\s+0/,
    )
  })

  it('puts the highest weight first and draws no lines when piped', () => {
    const rows = renderBoard(snapshot, { fancy: false }).split('\n')
    expect(rows.findIndex((row) => row.includes('honest-fast'))).toBeLessThan(
      rows.findIndex((row) => row.includes('honest-slow')),
    )
    expect(rows.join('')).not.toMatch(/[│─┌]/)
    expect(renderBoard(snapshot, { fancy: true })).toMatch(/[│─┌]/)
  })

  it('says that the validator is starting until it has answered', () => {
    const early = composeSnapshot({ block: 3, epochs: 0, addresses, status: undefined, weights: [] })
    expect(renderBoard(early, { fancy: false })).toContain('validator starting')
  })
})

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
