import { expect, it } from 'vitest'
import { formatTable } from '../../../src/cli/table.js'
import { type MinerStatus, minerStatus, writeMinerStatus } from '../../../src/roles/miner/index.js'

const now = Date.parse('2026-01-01T12:00:00Z')
const style = (rows?: number) => ({ now, rows, columns: rows && 80, formatTable })

function statusOf(changes: Partial<MinerStatus> = {}): MinerStatus {
  const server = { health: 'up', reason: null, breaker: 'closed', maxInFlight: 256, running: 1, waiting: 0 }
  return minerStatus.parse({
    ...{ role: 'miner', startedAt: '2026-01-01T09:00:00Z', netuid: 4, uid: 12, hotkey: '5OwnHotkey' },
    ...{ address: '0.0.0.0', port: 8091, block: 4_211_220, isDraining: false, unavailable: null },
    standing: {
      ...{ stakeTao: 12, hasPermit: false, incentive: 0.0123, consensus: 0.01 },
      ...{ validatorTrust: 0, emissionRao: 450_000_000, lastUpdateBlock: 1 },
    },
    ...{ inFlight: 4, models: ['org/a'] },
    upstreams: [
      {
        ...server,
        url: 'http://a/v1',
        models: ['org/a'],
        inFlight: 4,
        tokensPerSecond: 99.5,
        requests: 9,
        failures: 1,
      },
    ],
    requests: { requests: 1203, answered: 1180, refused: 12, failed: 3, abandoned: 8 },
    refusals: { LOW_STAKE: 8, REPLAYED: 4 },
    callers: [
      caller(7, 3, '2026-01-01T11:00:00Z'),
      caller(8, 1200, '2026-01-01T11:59:48Z', { REPLAYED: 4 }),
      caller(9, 0, null, { LOW_STAKE: 8 }),
    ],
    wanted: [{ hotkey: '5Caller8', models: ['org/a', 'org/b'] }],
    ...changes,
  })
}

function caller(uid: number, requests: number, lastAt: string | null, refusals = {}) {
  return { uid, hotkey: `5Caller${uid}`, requests, inFlight: 0, lastAt, refusals }
}

it('shows standing, requests, who asked last, callers and model servers', () => {
  expect(writeMinerStatus(statusOf(), style())).toBe(
    `
miner      uid 12 of subnet 4 · block 4,211,220 · running 3 h
hotkey     5OwnHotkey
state      serving on 0.0.0.0:8091
chain      stake 12 TAO · incentive 0.0123 · emission 0.450 per epoch
requests   1,203 (1,180 answered, 12 refused, 3 failed, 8 left) · 4 in flight
last asked 12 s ago by uid 8 (5Caller8)
refused    LOW_STAKE 8, REPLAYED 4
wanted     1 of 2 models wanted by validators are served; not org/b

server       health  in flight  tokens/s  failures  models
http://a/v1  up          4/256      99.5         1  org/a

uid  caller    requests  in flight  last      refused
  8  5Caller8     1,200          0  12 s ago  REPLAYED 4
  7  5Caller7         3          0  1 h ago   -
  9  5Caller9         0          0  never     LOW_STAKE 8
`.trim(),
  )
})

it('says why a miner does not serve, and that no caller asked', () => {
  const text = writeMinerStatus(
    statusOf({ unavailable: 'no upstream answers', standing: null, uid: null, callers: [], refusals: {} }),
    style(),
  )
  expect(text).toContain('miner      no uid of subnet 4')
  expect(text).toContain('state      not serving: no upstream answers')
  expect(text).toContain('chain      not registered on the subnet')
  expect(text).toContain('last asked not yet')
  expect(text).not.toMatch(/refused {4}|caller/)
  expect(writeMinerStatus(statusOf({ isDraining: true }), style())).toContain('state      shutting down')
})

it('fits a screen of 80 by 24 with many callers and servers', () => {
  const callers = Array.from({ length: 200 }, (_, uid) => caller(uid, 9, '2026-01-01T11:00:00Z'))
  const [server] = statusOf().upstreams
  const upstreams = Array.from({ length: 3 }, () => server as NonNullable<typeof server>)
  const lines = writeMinerStatus(statusOf({ callers, upstreams }), style(24)).split('\n')
  expect(lines.length).toBeLessThanOrEqual(22)
  expect(lines.at(-1)).toMatch(/^… \d+ more, see --json$/)
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80)
})

it('reads the status of an earlier release', () => {
  const { startedAt: _, netuid: __, unavailable: ___, standing: ____, refusals: _____, ...old } = statusOf()
  const callers = old.callers.map(({ hotkey, uid, requests, inFlight }) => ({
    hotkey,
    uid,
    requests,
    inFlight,
  }))
  const text = writeMinerStatus(minerStatus.parse({ ...old, callers }), style())
  expect(text).toMatch(/^miner {6}uid 12 · block 4,211,220\nhotkey {5}5OwnHotkey\nrequests/)
})
