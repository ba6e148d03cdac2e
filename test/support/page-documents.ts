import type { HubStatus } from '../../src/roles/hub/index.js'
import type { ValidatorStatus } from '../../src/roles/index.js'
import type { MinerStatus } from '../../src/roles/miner/index.js'

/** Base58 as in a real address, so that the page takes it. */
export function hotkeyOfPage(uid: number): string {
  const digits = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
  const end = [uid, Math.floor(uid / 58)].map((value) => digits[value % 58]).join('')
  return `5PageTest${'x'.repeat(37)}${end}`
}

/** The status of a validator with this many miners; every third one fails. */
export function validatorStatusOf(size: number, block = 1000): ValidatorStatus {
  const uids = Array.from({ length: size }, (_, index) => index + 1)
  const weightOf = (uid: number) => (uid % 3 === 0 ? 0 : Math.max(1, 65_535 - uid * 60))
  return {
    role: 'validator',
    startedAt: '2026-01-01T00:00:00.000Z',
    history: false,
    chain: {
      ...{ network: 'local', endpoint: 'ws://127.0.0.1:9944', genesisHash: '0x00', netuid: 4 },
      ...{ headAt: new Date().toISOString(), reconnects: 2, clockOffsetMs: 0 },
    },
    ...{ uid: 0, hotkey: hotkeyOfPage(0), block, rounds: 77, models: ['org/a'] },
    epoch: { index: 2, nextBlock: 1080 },
    engines: [
      { model: 'org/a', ready: true },
      { model: 'org/b', ready: false, reason: 'nothing answers', next: 'Start it.' },
    ],
    weights: { block: 720, entries: uids.map((uid) => ({ uid, weightU16: weightOf(uid) })) },
    previousWeights: { block: 360, entries: uids.map((uid) => ({ uid, weightU16: 100 })) },
    miners: uids.map((uid) => ({
      ...{ uid, hotkey: hotkeyOfPage(uid), models: ['org/a'], meanTokensPerSecond: 50 + (uid % 90) },
      verdicts: {
        verified: uid % 3 === 0 ? 1 : 12,
        inconclusive: 0,
        failed: uid % 3 === 0 ? { OVERFIT: 9 } : {},
      },
      last: { kind: 'verified', model: 'org/a', tokensPerSecond: 60 },
      score: uid % 3 === 0 ? 0 : 1000 - uid / 2,
      evidence: uid === 3 ? [accusation] : [],
    })),
  }
}

const accusation = {
  model: 'org/a',
  level: 'barred' as const,
  ...{ isEnforced: true, suspicion: 8.25, enforced: 7.5 },
  ...{ answers: 12, tokens: 900, synchronised: 0, unsynchronised: 0, statistics: {} },
  sentence: 'The answers differ from the model by more than other hardware explains.',
} satisfies NonNullable<ValidatorStatus['miners'][number]['evidence']>[number]

/** The status of a miner with two callers and one model server. */
export function minerStatusOf(answered = 5): MinerStatus {
  const [alice, bob] = [hotkeyOfPage(7), hotkeyOfPage(8)]
  return {
    ...{ role: 'miner', uid: 12, hotkey: hotkeyOfPage(12), address: '0.0.0.0', port: 8091, block: 1000 },
    ...{ isDraining: false, inFlight: 1, models: ['org/a'], startedAt: '2026-01-01T00:00:00.000Z' },
    upstreams: [
      {
        ...{
          url: 'http://127.0.0.1:8000/v1',
          health: 'up',
          reason: null,
          breaker: 'closed',
          models: ['org/a'],
        },
        ...{ inFlight: 1, maxInFlight: 64, running: 1, waiting: 0, tokensPerSecond: 812.5 },
        ...{ requests: answered, failures: 0 },
      },
    ],
    requests: { requests: answered + 2, answered, refused: 2, failed: 0, abandoned: 0 },
    refusals: { STALE: 2 },
    callers: [
      {
        hotkey: alice,
        uid: 7,
        requests: answered,
        inFlight: 1,
        lastAt: '2026-01-01T00:10:00.000Z',
        refusals: {},
      },
      { hotkey: bob, uid: 8, requests: 0, inFlight: 0, lastAt: null, refusals: { STALE: 2 } },
    ],
    traffic: [
      {
        ...{ id: `${alice} org/a`, hotkey: alice, uid: 7, model: 'org/a' },
        ...{ answered, refused: 0, failed: 0, abandoned: 0, firstByteMs: { p50: 41, p95: 90 } },
      },
    ],
    wanted: [{ hotkey: alice, models: ['org/a', 'org/missing'] }],
  }
}

/** The status of a hub with two miners of one model, of which one is left out, and two keys. */
export function hubStatusOf(answered = 5): HubStatus {
  const routed = { model: 'org/a', tokensPerSecond: 61.5, firstTokenMs: 48, verified: 0.98 }
  const miner = { coldkey: hotkeyOfPage(9), url: 'http://127.0.0.1:8091', models: ['org/a'], incentive: 0.4 }
  return {
    ...{ role: 'hub', netuid: 4, uid: 20, hotkey: hotkeyOfPage(20), standing: null, block: 1000 },
    ...{ startedAt: '2026-01-01T00:00:00.000Z', url: 'http://127.0.0.1:8080', isDraining: false },
    ...{ unavailable: null, inFlight: 2, models: ['org/a'] },
    requests: { answered, refused: 3, failed: 1, left: 0 },
    asked: { attempts: answered + 3, failovers: 2, hedges: 1 },
    errors: { model_not_found: 3, miner_failed: 1 },
    traffic: [
      {
        ...{ model: 'org/a', answered, refused: 0, failed: 1, left: 0 },
        ...{ attempts: answered + 3, failovers: 2, hedges: 1, promptTokens: 100, tokens: 900 },
        ...{ firstTokenMs: { p50: 52, p95: 140 }, tokensPerSecond: { p50: 60.2, p95: 70 } },
      },
    ],
    records: { rows: 40, bytes: 2 ** 21, dropped: 0 },
    bucket: { rows: 30, drawnAt: '2026-01-01T00:10:00.000Z', endsAt: '2026-01-01T00:30:00.000Z' },
    reports: [
      { hotkey: hotkeyOfPage(7), uid: 7, at: '2026-01-01T00:12:00.000Z', verified: 27, failed: 3 },
      { hotkey: hotkeyOfPage(8), uid: null, at: '2026-01-01T00:11:00.000Z', verified: 1, failed: 0 },
    ],
    keys: [
      {
        ...{ id: 'key_1', name: '<b>alice', tokensToday: 950, tokensPerDay: 1000 },
        ...{ spentTokens: 950, budgetTokens: null },
      },
      { id: 'key_2', name: 'bob', tokensToday: 50, tokensPerDay: null, spentTokens: 50, budgetTokens: null },
    ],
    otherKeys: { keys: 2, tokensToday: 7 },
    miners: [
      {
        ...{ ...miner, uid: 1, hotkey: hotkeyOfPage(1), inFlight: 2, answered, failed: 0, silent: null },
        ...{ breaker: 'closed', routing: [{ ...routed, share: 1, quality: 1 }] },
      },
      {
        ...{ ...miner, uid: 2, hotkey: hotkeyOfPage(2), inFlight: 0, answered: 0, failed: 3, silent: null },
        ...{ breaker: 'open', routing: [{ ...routed, share: 0, quality: 0.5, verified: 0.7 }] },
      },
      {
        ...{ ...miner, uid: 3, hotkey: hotkeyOfPage(3), inFlight: 0, answered: 0, failed: 0, models: [] },
        ...{ breaker: 'closed', silent: 'connection refused', routing: [] },
      },
    ],
  }
}
