import { composeSnapshot } from '../../../src/localnet/board/snapshot.js'
import { type MinerStatus, validatorStatus } from '../../../src/localnet/board/validator-status.js'

import { castWith } from '../../../src/localnet/network/index.js'

export const cast = castWith([])
export const addresses = ['hk-validator', ...cast.map((_, index) => `hk-${index + 1}`)]

export function miner(uid: number, changes: Partial<MinerStatus> = {}): MinerStatus {
  return {
    uid,
    hotkey: addresses[uid] ?? '',
    models: ['targon-dev/small-a'],
    verdicts: { verified: 0, inconclusive: 0, failed: {} },
    last: null,
    meanTokensPerSecond: 0,
    score: 0,
    evidence: [],
    ...changes,
  }
}

/** The subnet at block 31, 29 blocks before the next weights. */
export function snapshotOf(
  miners: MinerStatus[],
  weights: { uid: number; weightU16: number }[] = [],
  epochs = 0,
) {
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
  return composeSnapshot({ block: 31, epochs, addresses, cast, status, weights })
}

export const verified = miner(1, {
  verdicts: { verified: 3, inconclusive: 0, failed: {} },
  last: { kind: 'verified', model: 'targon-dev/small-a', tokensPerSecond: 158.25 },
  meanTokensPerSecond: 158.2,
  score: 157.1,
})

const SENTENCE = 'The answers differ from the model by more than other hardware explains.'

export const accused = (level: 'suspected' | 'barred') =>
  miner(9, {
    verdicts: { verified: 4, inconclusive: 0, failed: {} },
    last: { kind: 'verified', model: 'targon-dev/small-a' },
    evidence: [
      { level: 'clean', sentence: 'The answers fit the model.' },
      { level, sentence: SENTENCE },
    ],
  })

export const caught = miner(5, {
  verdicts: { verified: 0, inconclusive: 0, failed: { UNLIKELY_TOKENS: 2, BAD_STREAM: 1 } },
  last: { kind: 'failed', cause: 'UNLIKELY_TOKENS', model: 'targon-dev/small-a' },
})
