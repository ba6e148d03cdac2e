import { expect, it } from 'vitest'
import { formatTable } from '../../../src/cli/table.js'
import { hubStatus, writeHubStatus } from '../../../src/roles/hub/index.js'
import { hotkeyOfPage, hubStatusOf } from '../../support/page-documents.js'

const now = Date.parse('2026-01-01T00:15:00Z')
const style = { now, rows: undefined, columns: undefined, formatTable }
const status = hubStatus.parse(hubStatusOf())
const short = (uid: number) => `5Page…${hotkeyOfPage(uid).slice(-4)}`

it('shows requests by model, keys, organics and miners', () => {
  expect(writeHubStatus(status, style).replaceAll(/ +$/gm, '')).toBe(
    `
hub        uid 20 of subnet 4 · block 1,000 · running 15 min
hotkey     ${hotkeyOfPage(20)}
state      serving on http://127.0.0.1:8080
chain      not registered on the subnet
requests   9 (5 answered, 3 refused, 1 failed, 0 left) · 2 in flight
asked      8 miners; 2 took over from one that failed, 1 ran beside a slow one
errors     model_not_found 3, miner_failed 1
keys       4, 1,007 tokens today · most by <b>alice (key_1)
organics   40 kept · bucket of 30, 5 min old · last report 3 min ago by uid 7

model  answered  failed  refused  first token  tokens/s
org/a         5       1        0        52 ms      60.2  served

uid  miner       best share  answered  failed  in flight  state     models
  1  ${short(1)}       100 %         5       0          2  asked     org/a
  2  ${short(2)}         0 %         0       3          0  left out  org/a
  3  ${short(3)}         0 %         0       0          0  asked     connection refused`.trimStart(),
  )
})

it('says why it does not serve, and leaves out what there is none of', () => {
  const quiet = hubStatus.parse({
    ...status,
    ...{ unavailable: 'no miner serves a model', keys: [], errors: {}, bucket: null, reports: [] },
    otherKeys: { keys: 0, tokensToday: 0 },
  })
  const text = writeHubStatus(quiet, style)
  expect(text).toContain('state      not serving: no miner serves a model')
  expect(text).toContain('organics   40 kept · no bucket · no report')
  expect(text).not.toMatch(/^(keys|errors)/m)
  expect(writeHubStatus({ ...quiet, isDraining: true }, style)).toContain('state      shutting down')
})

it('fits a terminal, and says how many miners are left out', () => {
  const [miner] = status.miners
  const miners = Array.from({ length: 30 }, (_, uid) => ({ ...status.miners[0], ...miner, uid }))
  const text = writeHubStatus(hubStatus.parse({ ...status, miners }), { ...style, rows: 24, columns: 80 })
  expect(text.split('\n').length).toBeLessThanOrEqual(24)
  expect(text).toMatch(/^… \d+ more, see --json$/m)
  for (const line of text.split('\n').slice(13)) expect(line.length).toBeLessThanOrEqual(80)
})
