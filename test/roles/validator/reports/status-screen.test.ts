import { expect, it } from 'vitest'
import { formatTable } from '../../../../src/cli/table.js'
import {
  type ValidatorStatus,
  validatorStatus,
  writeValidatorStatus,
} from '../../../../src/roles/validator/index.js'

const now = Date.parse('2026-01-01T12:00:00Z')
const style = (rows?: number) => ({ now, rows, columns: rows && 80, formatTable })

function minerOf(uid: number, score: number): ValidatorStatus['miners'][number] {
  return {
    ...{ uid, hotkey: `5Miner${uid}`, models: ['org/a'], meanTokensPerSecond: score * 10, score },
    verdicts: { verified: 30, inconclusive: 1, failed: { OVERFIT: 2 } },
    last: { kind: 'failed', cause: 'OVERFIT', model: 'org/a' },
  }
}

function statusOf(changes: Partial<ValidatorStatus> = {}): ValidatorStatus {
  return validatorStatus.parse({
    ...{ role: 'validator', startedAt: '2026-01-01T09:00:00Z', uid: 3, hotkey: '5Validator', unready: null },
    chain: { network: 'finney', endpoint: 'wss://x', genesisHash: '0x', netuid: 4 },
    standing: {
      ...{ stakeTao: 10_000, hasPermit: true, incentive: 0, consensus: 0 },
      ...{ validatorTrust: 0.988, emissionRao: 450_000_000, lastUpdateBlock: 1 },
    },
    ...{ block: 4_211_220, epoch: { index: 11_697, nextBlock: 4_211_280 }, models: ['org/a', 'org/b'] },
    engines: [
      { model: 'org/a', ready: true },
      { model: 'org/b', ready: false, reason: 'it does not respond', next: 'Start it.' },
    ],
    rounds: 54,
    lastRound: {
      ...{ round: 53, model: 'org/a', judgedAt: '2026-01-01T11:57:00Z' },
      ...{ verified: 30, failed: 3, inconclusive: 1 },
    },
    weights: { block: 4_211_000, entries: [{ uid: 1, weightU16: 65_535 }] },
    nextWeights: { block: 4_211_280 },
    miners: [minerOf(2, 3.25), minerOf(1, 7.5)],
    ...changes,
  })
}

it('shows standing, epoch, weights, verdicts, engines and the miners by score', () => {
  expect(writeValidatorStatus(statusOf(), style())).toBe(
    `
validator  uid 3 of subnet 4 · running 3 h · 54 rounds
hotkey     5Validator
state      ready
chain      permit · stake 10,000 TAO · trust 0.988 · emission 0.450 per epoch
epoch      11,697 at block 4,211,220, the next in 60 blocks
weights    set at block 4,211,000 (220 ago) for 1 miner · next in 60 blocks
last round 3 min ago: 30 verified, 3 failed, 1 inconclusive · org/a
verdicts   60 verified · 4 failed (OVERFIT 4) · 2 inconclusive
engine     org/b not ready: it does not respond. Start it.
engine     org/a ready

uid  miner    tokens/s  score  weight  verified  failed  evidence  last
  1  5Miner1      75.0   7.50   65535        30       2  -         OVERFIT
  2  5Miner2      32.5   3.25       -        30       2  -         OVERFIT
`.trim(),
  )
})

it('says what is missing, and why no weights were set', () => {
  const text = writeValidatorStatus(
    statusOf({
      ...{ unready: 'no new block for 130 s', weights: null, lastRound: null, rounds: 0, miners: [] },
      nextWeights: { block: 4_211_210, reason: 'doppelganger-watch' },
    }),
    style(),
  )
  expect(text).toContain('state      not ready: no new block for 130 s')
  expect(text).toContain(
    'weights    none set by this process yet · next now; the last attempt set none: doppelganger-watch',
  )
  expect(text).toContain('last round none yet')
  expect(text).toMatch(/No miner can be queried\.$/)
})

it('names the weights of an earlier process after a restart', () => {
  const lastSubmission = { epoch: 11_696, block: 4_210_900 }
  const status = statusOf({ weights: null, lastSubmission, miners: [] })
  const ago = status.block - lastSubmission.block
  expect(writeValidatorStatus(status, style())).toContain(
    `weights    set at block 4,210,900 (${ago.toLocaleString('en-US')} ago) by an earlier process`,
  )
})

it('fits a screen of 80 by 24 and of 120 by 40 with many miners and engines', () => {
  const miners = Array.from({ length: 250 }, (_, uid) => minerOf(uid, uid))
  const engines = Array.from({ length: 9 }, (_, index) => ({ model: `org/model-${index}`, ready: true }))
  for (const [rows, fewest] of [
    [24, 3],
    [40, 15],
  ] as const) {
    const lines = writeValidatorStatus(statusOf({ miners, engines }), style(rows)).split('\n')
    expect(lines.length).toBeLessThanOrEqual(rows)
    expect(lines.filter((line) => line.includes('5Miner')).length).toBeGreaterThanOrEqual(fewest)
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80)
  }
})

it('reads the status of an earlier release', () => {
  const { unready: _, standing: __, lastRound: ___, nextWeights: ____, ...old } = statusOf()
  const text = writeValidatorStatus(validatorStatus.parse(old), style())
  expect(text).toMatch(/hotkey {5}5Validator\nepoch/)
  expect(text).toContain('weights    set at block 4,211,000 (220 ago) for 1 miner\n')
})
