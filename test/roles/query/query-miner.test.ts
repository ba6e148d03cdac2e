import { describe, expect, it } from 'vitest'
import type { Answer } from '../../../src/inference/index.js'
import { systemClock } from '../../../src/kernel/clock.js'
import { type QueryReply, queryMiner, requireGoodReply } from '../../../src/roles/query/index.js'
import type { Verdict } from '../../../src/verification/index.js'
import { startFakeMiner } from '../../support/fake-miner.js'
import { hotkeyOf } from '../../support/hotkeys.js'

const miner = { uid: 3, hotkey: '5Hot', url: 'http://203.0.113.1:8091' }

function replyWith(answer: Partial<Answer>, verdict?: Partial<Verdict>): QueryReply {
  return { miner, request: {}, answer: { status: 200, ...answer }, verdict } as unknown as QueryReply
}

const fault = { cause: 'STATUS', detail: 'no stream' } as unknown as NonNullable<Answer['fault']>

describe('requireGoodReply', () => {
  it('accepts a complete answer, unverified or verified', () => {
    requireGoodReply(replyWith({}))
    requireGoodReply(replyWith({}, { kind: 'verified' }))
  })

  it.each([
    [401, /rejects this hotkey/],
    [403, /rejects this hotkey/],
    [404, /does not serve this model/],
    [429, /is busy/],
    [503, /is busy/],
    [500, /Query another miner/],
  ])('explains status %i', (status, next) => {
    expect(() => requireGoodReply(replyWith({ status, fault }))).toThrow(
      expect.objectContaining({
        code: 'MINER_ANSWER',
        message: `The miner with uid 3 at ${miner.url} returned no valid answer: status ${status}, no stream.`,
        next: expect.stringMatching(next),
      }),
    )
  })

  it.each([
    [{ kind: 'failed', cause: 'OVERFIT', detail: 'position 7' }, 'VERIFICATION_FAILED', 'verification'],
    [{ kind: 'inconclusive', reason: 'engine-down', detail: 'refused' }, 'VERDICT_INCONCLUSIVE', 'upstream'],
  ])('throws for the verdict %j', (verdict, code, expectedFault) => {
    expect(() => requireGoodReply(replyWith({}, verdict as Partial<Verdict>))).toThrow(
      expect.objectContaining({ code, fault: expectedFault }),
    )
  })
})

describe('queryMiner', () => {
  it('does not blame the miner when this machine is slow to parse its answer', async () => {
    let readings = 0
    const slow = { ...systemClock, monotonic: () => systemClock.monotonic() + readings++ * 6 }
    const fake = await startFakeMiner({ models: ['org/a'] })
    try {
      const signer = await hotkeyOf(1)
      const { address: hotkey } = await hotkeyOf(2)
      const own = { uid: 1, hotkey, url: `http://127.0.0.1:${fake.port}` }
      const request: QueryReply['request'] = {
        ...{ endpoint: 'chat', model: 'org/a', messages: [{ role: 'user', content: 'Hi' }] },
        ...{ seed: 1, maxTokens: 40, temperature: 0 },
      }
      const signal = AbortSignal.timeout(20_000)
      const options = { signer, clock: slow, signal, timeoutMs: 20_000 }
      const { answer } = await queryMiner(request, own, undefined, options)
      expect(answer.fault).toBeUndefined()
      expect(answer.tokens).toHaveLength(40)
    } finally {
      await fake.close()
    }
  })
})
