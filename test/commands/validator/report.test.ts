import { mkdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import ValidatorReport from '../../../src/commands/validator/report.js'
import type { ValidatorStatus } from '../../../src/roles/index.js'
import { runCommand } from '../../support/cli.js'

const servers: Server[] = []
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'targon-report-'))
})
afterEach(async () => {
  for (const server of servers.splice(0)) server.close()
  await rm(folder, { recursive: true, force: true })
})

/** Starts a status port that responds with this text. @returns the flags that point to it. */
async function servePort(text: string, status = 200): Promise<string[]> {
  const server = createServer((_, response) => response.writeHead(status).end(text)).listen(0, '127.0.0.1')
  servers.push(server)
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  const port = String(typeof address === 'object' && address ? address.port : 0)
  return ['--metrics.port', port, '--logging.logging_dir', folder]
}

const at = '2026-01-01T00:00:00.000Z'
const evil = '<img src=http://evil.example/x onerror=alert(1)>\u001b[2J</script>, "quoted"'
const model = {
  model: 'org/a',
  window: [...Array.from({ length: 14 }, () => 90), null],
  verdicts: { verified: 14, inconclusive: 2, failed: { NO_LOGPROBS: 1, OVERFIT: 3 } },
  notServing: 3,
  tokensPerSecond: { p5: 80, p50: 90.5, p95: 99 },
  timeToFirstTokenMs: { p5: 10, p50: 21, p95: 40 },
  lastFailures: [{ at, block: 55, cause: 'OVERFIT', detail: `=1+1 position 7: ${evil}`, tokens: 8 }],
  trend: [
    { at, verified: 14, failed: 0, meanTokensPerSecond: 90 },
    { at: '2026-01-01T01:00:00.000Z', verified: 0, failed: 4, meanTokensPerSecond: 0 },
  ],
}
const idle = {
  uid: 3,
  hotkey: '5Idle',
  models: [],
  verdicts: { verified: 0, inconclusive: 0, failed: {} },
  last: null,
  meanTokensPerSecond: 0,
  score: 0,
}
const now: ValidatorStatus = {
  role: 'validator',
  uid: 0,
  hotkey: '5Validator',
  block: 61,
  epoch: { index: 2, nextBlock: 90 },
  models: ['org/a'],
  engines: [],
  rounds: 12,
  weights: { block: 60, entries: [{ uid: 5, weightU16: 65_535 }] },
  miners: [idle, { ...idle, uid: 5, hotkey: '5Miner', models: ['org/a'], score: 120 }],
}
const miners = [{ uid: 5, hotkey: '5Miner', from: at, to: at, models: [model] }]
const answer = JSON.stringify({ since: at, miners, now })

describe('targon validator report', () => {
  it('lists every miner, best first, including those without results', async () => {
    const { stdout } = await runCommand(ValidatorReport, await servePort(answer))
    const [epoch, source, head, first, second] = stdout.split('\n')
    expect(epoch).toBe('block 61, epoch 2, weights due at block 90, 12 rounds')
    expect(source).toContain('running validator')
    expect(head).toMatch(/^uid\s+model\s+score/)
    expect(first).toMatch(
      /^\s*5\s+org\/a\s+120\.000\s+65535\s+14\s+2\s+90\.5\s+21\s+█×\s+OVERFIT 3, NO_LOGPROBS 1$/,
    )
    expect(second).toMatch(/^\s*3\s+-\s+0\.000\s+0\s+0\s+0\s/)
  })

  it('shows the counts since the start of a validator without a history, in every format', async () => {
    const verdicts = { verified: 68, inconclusive: 1, failed: { BAD_STREAM: 2 } }
    const started = { ...now, history: false, startedAt: at, miners: [{ ...idle, verdicts }] }
    const port = await servePort(JSON.stringify({ since: at, miners: [], now: started }))
    const show = async (...flags: string[]) => (await runCommand(ValidatorReport, [...flags, ...port])).stdout
    const period = 'Counts since the validator started at 2026-01-01 00:00 UTC; it keeps no history'
    const text = await show()
    expect(text).toContain(period)
    expect(text).toMatch(/^ *3 {2}- .* 68 +1 +- +- +- +BAD_STREAM 2$/m)
    expect(await show('3')).toMatch(/verified +68\nno verdict +1\nfailed +BAD_STREAM 2/)
    const page = await show('--html')
    expect(page).toContain(period)
    expect(page).toContain('<td class="n">68</td><td class="n bad">2</td><td class="n">1</td>')
    expect(page).toContain(
      'Since the validator started: 68 verified, 1 without verdict, failed: BAD_STREAM 2.',
    )
    expect(await show('--csv')).toMatch(/^3,5Idle,,,,0,0,68,1,2,BAD_STREAM 2,.*,start$/m)
    expect(JSON.parse(await show('--json'))).toMatchObject({
      counted: 'start',
      rows: [{ uid: 3, verified: 68, inconclusive: 1, failed: 2 }],
    })
  })

  it.each(['5', '5Miner'])('explains one miner, given as %s, and escapes its text', async (name) => {
    const { stdout } = await runCommand(ValidatorReport, [name, ...(await servePort(answer))])
    expect(stdout).toMatch(/window\s+(90\.0 ){14}miss/)
    expect(stdout).toMatch(/not serving\s+3 times/)
    expect(stdout).toMatch(/OVERFIT\s+8 tokens\s+=1\+1 position 7/)
    expect(stdout).toMatch(/tokens\/s p5\/p50\/p95\s+80\.0 \/ 90\.5 \/ 99\.0/)
    expect(stdout).not.toContain('\u001b')
  })

  it('prints the whole document as JSON', async () => {
    const { result } = await runCommand(ValidatorReport, ['--json', ...(await servePort(answer))])
    expect(result).toMatchObject({
      source: 'validator',
      validator: { uid: 0, block: 61 },
      miners: [
        { uid: 5, score: 120, weightU16: 65_535, models: [model] },
        { uid: 3, score: 0, weightU16: 0, models: [] },
      ],
    })
  })

  it('prints CSV that a spreadsheet reads as data, never as a formula', async () => {
    const { stdout } = await runCommand(ValidatorReport, ['--csv', ...(await servePort(answer))])
    const [head, first, second] = stdout.trimEnd().split('\n')
    expect(first).toMatch(/^5,5Miner,org\/a,.*,120,65535,14,2,4,"OVERFIT 3, NO_LOGPROBS 1",3,80,90\.5,99,/)
    expect(first).toMatch(/;x,.*,OVERFIT,"'=1\+1 position 7: .*""quoted""",period$/)
    expect(second?.split(',')).toHaveLength(head?.split(',').length ?? 0)
  })

  it('prints a page that loads nothing and escapes the text of miners', async () => {
    const { stdout } = await runCommand(ValidatorReport, ['--html', ...(await servePort(answer))])
    expect(loadsOf(stdout)).toEqual([])
    expect(stdout).toContain("default-src 'none'")
    expect(stdout).toContain('uPlot')
    expect(stdout).toContain('prefers-color-scheme:dark')
    expect(stdout).toContain('position 7: &#60;img')
    expect(stdout).not.toContain('<img')
    expect(stdout.match(/<\/script>/g)).toHaveLength(3)
    const data = /<script type="application\/json" id="data">(.*?)<\/script>/.exec(stdout)?.[1]
    expect(JSON.parse(data ?? '')).toEqual([[{ window: model.window, trend: model.trend }], []])
  })

  it.each([['5'], [], ['--csv'], ['--html'], ['--json']])(
    'escapes C1 and bidirectional controls of peers: %s',
    async (...flags) => {
      const bad = '\u202egpj.exe\u009b31m\u2066\u0085\u200e\u200f\u061c'
      const failure = { at, block: 55, cause: `X${bad}`, detail: `quoted ${bad}`, tokens: 8 }
      const hostile = {
        ...model,
        model: `org/${bad}`,
        lastFailures: [failure],
        verdicts: { ...model.verdicts, failed: { [`X${bad}`]: 1 } },
      }
      const body = JSON.stringify({
        since: at,
        now,
        miners: [{ uid: 5, hotkey: '5Miner', from: at, to: at, models: [hostile] }],
      })
      const { stdout } = await runCommand(ValidatorReport, [...flags, ...(await servePort(body))])
      const text = stdout.replace(/<script>[\s\S]*?<\/script>/g, '')
      expect(text).not.toMatch(/[\u0080-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/)
      expect(text).toContain('\\u202egpj.exe\\u009b31m')
    },
  )

  it.each(['=1+1', '+1', '-1+2', '@SUM(A1)', ' =1', '\t=1', '\r=1', '＝1'])(
    'quotes a CSV cell that starts like a formula (%j) but not numbers',
    async (start) => {
      const failure = { at, block: 55, cause: 'OVERFIT', detail: start, tokens: 8 }
      const speed = { p5: -80.5, p50: 90, p95: 99 }
      const hostile = { ...model, model: start, tokensPerSecond: speed, lastFailures: [failure] }
      const body = JSON.stringify({
        since: at,
        now,
        miners: [{ uid: 5, hotkey: '5Miner', from: at, to: at, models: [hostile] }],
      })
      const { stdout } = await runCommand(ValidatorReport, ['--csv', ...(await servePort(body))])
      const cells = (stdout.split('\n')[1] ?? '').split(',').map((cell) => cell.replace(/^"/, ''))
      expect(cells.filter((cell) => /^\s*[=+@＝]|^\s*-(?!80\.5$)/.test(cell))).toEqual([])
      expect(cells).toContain('-80.5')
    },
  )

  it('loadsOf detects everything a page would load', () => {
    expect(loadsOf('<script src="https://cdn.example/u.js"></script>')).toHaveLength(1)
    expect(loadsOf('<style>@import "x.css"; a{background:url(//x/y.png)}</style>')).toHaveLength(2)
    expect(loadsOf('<link rel=stylesheet href=x.css>')).toHaveLength(1)
  })

  it('refuses an unknown miner', async () => {
    const empty = JSON.stringify({ since: at, miners: [], now })
    const { status, stderr } = await runCommand(ValidatorReport, ['77', ...(await servePort(empty))])
    expect(status).toBe(2)
    expect(stderr).toContain('MINER_UNKNOWN')
  })

  it('reports why a running validator has no report', async () => {
    const port = await servePort('{"detail":"the history is being opened"}', 503)
    const { status, stderr } = await runCommand(ValidatorReport, port)
    expect(status).toBe(1)
    expect(stderr).toMatch(/HISTORY_UNAVAILABLE.*being opened/)
  })

  it.each([
    ['of the running validator', [], 17],
    ['that the operator gave', ['--netuid', '5'], 5],
  ])('looks for the history of the subnet %s', async (_, flags, netuid) => {
    const chain = { network: 'local', endpoint: null, genesisHash: '0x00', netuid: 17 }
    const { status, stderr } = await runCommand(ValidatorReport, [
      ...(await servePort(JSON.stringify({ ...now, chain }))),
      ...flags,
    ])
    expect(status).toBe(1)
    expect(stderr).toMatch(new RegExp(`HISTORY_UNAVAILABLE.*/netuid${netuid}/validator/`))
  })

  it.each([
    ['another JSON service', '{"role":"miner"}'],
    ['a service without JSON', '<html>'],
  ])('does not mistake %s on the port for a validator, and creates no folder', async (_, text) => {
    const { status, stderr } = await runCommand(ValidatorReport, await servePort(text))
    expect(status).toBe(1)
    expect(stderr).toMatch(/HISTORY_UNAVAILABLE.*--metrics\.port/)
    expect(() => mkdirSync(join(folder, 'default'))).not.toThrow()
  })

  it.each([
    ['--csv', '--html'],
    ['--csv', '--json'],
    ['--hours', '0'],
  ])('refuses %s %s', async (...flags) => {
    expect((await runCommand(ValidatorReport, flags)).status).toBe(2)
  })
})

/** Everything in a page that would make a browser fetch something. */
function loadsOf(page: string): string[] {
  const text = page.replace(/<script>[\s\S]*?<\/script>/g, '').replace(/&#\d+;/g, '')
  const tags = text.match(
    /<(?:img|iframe|object|embed|video|audio|link|base)\b|<[a-z]+\s[^>]*\bsrc\s*=|@import|url\(/gi,
  )
  const scripts = page.match(
    /\b(?:fetch|XMLHttpRequest|WebSocket|importScripts|sendBeacon)\s*\(|\bimport\s*\(/g,
  )
  return [...(tags ?? []), ...(scripts ?? [])]
}
