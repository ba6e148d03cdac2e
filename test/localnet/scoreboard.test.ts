import { describe, expect, it } from 'vitest'
import { narrateChange, renderBoard, reportOf } from '../../src/localnet/index.js'
import { composeSnapshot } from '../../src/localnet/snapshot.js'
import { type MinerStatus, validatorStatus } from '../../src/localnet/status.js'

const addresses = ['hk-validator', 'hk-1', 'hk-2', 'hk-3', 'hk-4', 'hk-5', 'hk-6', 'hk-7', 'hk-8']

function miner(uid: number, changes: Partial<MinerStatus> = {}): MinerStatus {
  return {
    uid,
    hotkey: addresses[uid] ?? '',
    models: ['targon-dev/small-a'],
    verdicts: { verified: 0, inconclusive: 0, failed: {} },
    last: null,
    meanTokensPerSecond: 0,
    score: 0,
    ...changes,
  }
}

function look(miners: MinerStatus[], weights: { uid: number; weightU16: number }[] = [], epochs = 0) {
  const status = validatorStatus.parse({
    role: 'validator',
    uid: 0,
    hotkey: addresses[0],
    block: 31,
    rounds: 4,
    models: ['targon-dev/small-a'],
    epoch: { index: 1, nextBlock: 60 },
    weights: null,
    miners,
  })
  return composeSnapshot({ block: 31, epochs, addresses, status, weights })
}

const verified = miner(1, {
  verdicts: { verified: 3, inconclusive: 0, failed: {} },
  last: { kind: 'verified', model: 'targon-dev/small-a', tokensPerSecond: 158.25 },
  meanTokensPerSecond: 158.2,
  score: 157.1,
})
const caught = miner(5, {
  verdicts: { verified: 0, inconclusive: 0, failed: { UNLIKELY_TOKENS: 2, BAD_STREAM: 1 } },
  last: { kind: 'failed', cause: 'UNLIKELY_TOKENS', model: 'targon-dev/small-a' },
})

describe('the board', () => {
  const snapshot = look([verified, caught], [{ uid: 1, weightU16: 65535 }], 1)

  it('shows block, countdown, and every miner with its last verdict and its weight on chain', () => {
    const board = renderBoard(snapshot, { fancy: false })
    expect(board).toContain('block 31 · weights in 29 blocks · epochs done 1 · rounds 4')
    expect(board).toMatch(/1\s+honest-fast\s+small-a\s+3\s+0\s+verified\s+158\.2\s+157\.1\s+65535/)
    expect(board).toMatch(
      /5\s+cheat-other-model\s+small-a\s+0\s+3\s+failed: UNLIKELY_TOKENS\s+0\.0\s+0\.0\s+0/,
    )
  })

  it('puts the best weight first and draws no lines when piped', () => {
    const rows = renderBoard(snapshot, { fancy: false }).split('\n')
    expect(rows.findIndex((row) => row.includes('honest-fast'))).toBeLessThan(
      rows.findIndex((row) => row.includes('honest-slow')),
    )
    expect(rows.join('')).not.toMatch(/[│─┌]/)
    expect(renderBoard(snapshot, { fancy: true })).toMatch(/[│─┌]/)
  })

  it('says that the validator starts while it has not answered', () => {
    const early = composeSnapshot({ block: 3, epochs: 0, addresses, status: undefined, weights: [] })
    expect(renderBoard(early, { fancy: false })).toContain('validator starting')
  })
})

describe('the plain log', () => {
  it('tells each new verdict once, and the weights of an epoch', () => {
    const before = look([verified])
    const after = look([verified, caught], [{ uid: 1, weightU16: 65535 }], 1)
    const lines = narrateChange(before, after)
    expect(lines[0]).toBe('block 31  uid 5 cheat-other-model  failed: UNLIKELY_TOKENS')
    expect(lines[1]).toContain('epoch 1 done, weights on chain: honest-fast 65535, honest-medium 0')
    expect(narrateChange(after, after)).toEqual([])
  })
})

describe('the report', () => {
  it('has the promised fields and the weights of the chain, not of the validator', () => {
    const report = reportOf(look([verified], [{ uid: 1, weightU16: 65535 }], 2))
    expect(report.epochs).toBe(2)
    expect(report.miners[0]).toEqual({
      uid: 1,
      hotkey: 'hk-1',
      behaviour: 'honest',
      models: ['targon-dev/small-a'],
      verdicts: { verified: 3, inconclusive: 0, failed: {} },
      meanTokensPerSecond: 158.2,
      score: 157.1,
      weightU16: 65535,
    })
    expect(report.miners).toHaveLength(8)
  })
})
