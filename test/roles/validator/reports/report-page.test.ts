import { createContext, runInContext } from 'node:vm'
import { expect, it } from 'vitest'
import type { EvidenceReport, ModelReport } from '../../../../src/history/index.js'
import { describeCalibration } from '../../../../src/roles/validator/calibration/calibration-state.js'
import { explainReport } from '../../../../src/roles/validator/reports/explained.js'
import { evidenceText } from '../../../../src/roles/validator/reports/report-evidence.js'
import { writePage } from '../../../../src/roles/validator/reports/report-page.js'
import { PAGE_SCRIPT } from '../../../../src/roles/validator/reports/report-page-parts.js'
import { writeText } from '../../../../src/roles/validator/reports/report-text.js'
import { calibrationOf } from '../calibration/stored-calibration.js'

const HOUR_S = 3600
const start = Date.UTC(2026, 0, 1, 22)
const hourAt = (hour: number, verified = 3) => ({
  ...{ at: new Date(start + hour * HOUR_S * 1000).toISOString(), verified, failed: 1 },
  meanTokensPerSecond: verified > 0 ? 50 : 0,
})

const EVIDENCE: EvidenceReport = {
  ...{ level: 'barred', enforces: true, threshold: 11.3, dialect: 'murmur3', answers: 40, tokens: 8000 },
  sentence: 'tokens look like a model with 0.30 nats of noise <b>',
  statistics: [
    {
      ...{ statistic: 'seeded', suspicion: 14, enforced: 12, tokens: 6000 },
      ...{ estimate: { value: 0.3, low: 0.25, high: 0.36 }, honest: { low: 0, high: 0.07 } },
    },
    { statistic: 'temperature', suspicion: 0, enforced: 0, tokens: 6000 },
  ],
  points: [0, 1, 2].map((hour) => ({
    ...{ at: new Date(start + hour * HOUR_S * 1000).toISOString(), level: hour < 2 ? 'clean' : 'barred' },
    ...{ suspicion: 6 * hour, enforced: 5.7 * hour },
  })),
}

function pageOf(trend: ModelReport['trend'], evidence?: EvidenceReport): Promise<string> {
  const model: ModelReport = {
    model: 'org/a',
    window: [50, null],
    verdicts: { verified: 3, inconclusive: 0, failed: { OVERFIT: 1 } },
    ...{ notServing: 0, satOut: 0, unchecked: 0, tokensPerSecond: null, timeToFirstTokenMs: null, trend },
    ...(evidence && { evidence }),
    lastFailures: [{ at: hourAt(0).at, block: 5, cause: 'OVERFIT', detail: 'position 7', tokens: 8 }],
  }
  const [from, to] = [hourAt(0).at, hourAt(1).at]
  const miners = [{ uid: 5, hotkey: '5Miner', from, to, models: [model] }]
  return writePage(explainReport({ source: 'embedded', since: from, miners, now: null }))
}

interface Plot {
  readonly options: {
    readonly tzDate?: unknown
    readonly scales: Readonly<Record<'x' | 'y', { range(...given: unknown[]): number[] }>>
    readonly axes: readonly { readonly values?: (plot: null, places: number[]) => string[] }[]
    readonly series: readonly { readonly spanGaps?: boolean; value?(plot: null, at: number | null): string }[]
  }
  readonly values: readonly (readonly (number | null)[])[]
}

/** Runs the script of a page where one kind of plot is drawn, in a browser that only notes what uPlot is given. */
function drawn(page: string, kind: 'trend' | 'window' | 'wealth'): Plot {
  const data = /<script type="application\/json" id="data">(.*?)<\/script>/.exec(page)?.[1] ?? ''
  const plots: Plot[] = []
  class Plotter {
    static readonly paths = { bars: () => null }
    static tzDate(date: Date, zone: string) {
      return `${date.toISOString()} in ${zone}`
    }
    constructor(options: Plot['options'], values: Plot['values']) {
      plots.push({ options, values })
    }
  }
  const place = { dataset: { plot: kind, place: '0/0' }, clientWidth: 300 }
  const details = { open: true, querySelectorAll: () => [place], addEventListener() {} }
  const document = {
    getElementById: () => ({ textContent: data }),
    querySelectorAll: () => [details],
    querySelector: () => null,
    documentElement: {},
  }
  const matchMedia = () => ({ addEventListener() {} })
  const getComputedStyle = () => ({ getPropertyValue: () => 'red' })
  const browser = {
    document,
    matchMedia,
    getComputedStyle,
    location: { hash: '' },
    addEventListener() {},
    uPlot: Plotter,
  }
  runInContext(PAGE_SCRIPT, createContext(browser))
  const [plot] = plots
  if (!plot) throw new Error('the script drew nothing')
  return plot
}

it('gives the trend of a single hour one hour', async () => {
  const { options, values } = drawn(await pageOf([hourAt(0)]), 'trend')
  expect(values[0]).toEqual([start / 1000])
  const [from = 0, to = 0] = options.scales.x.range(null, start / 1000, start / 1000 + 86_400_000)
  expect([start / 1000 - from, to - from]).toEqual([HOUR_S / 2, HOUR_S])
})

it('draws no line over missing hours', async () => {
  const { options, values } = drawn(await pageOf([hourAt(0), hourAt(3)]), 'trend')
  expect(values[0]).toHaveLength(4)
  expect(values[1]).toEqual([50, null, null, 50])
  expect(values[2]).toEqual([25, null, null, 25])
  expect(options.series.map(({ spanGaps }) => spanGaps)).toEqual([undefined, false, false])
})

it('shows the axis and the values of the trend in UTC', async () => {
  const { options } = drawn(await pageOf([hourAt(0), hourAt(3)]), 'trend')
  const hours = [0, 1, 2].map((hour) => start / 1000 + hour * HOUR_S)
  expect(options.axes[0]?.values?.(null, hours)).toEqual(['22:00', '23:00', '01-02'])
  expect(options.series[0]?.value?.(null, start / 1000)).toBe('2026-01-01 22:00 UTC')
})

it('has one main part, and a caption and scopes in every table', async () => {
  const page = (await pageOf([hourAt(0), hourAt(3)], EVIDENCE)).replace(/<script[\s\S]*?<\/script>/g, '')
  expect(page.match(/<main>/g)).toHaveLength(1)
  const tables = page.match(/<table>.*?<\/table>/gs) ?? []
  expect(tables).toHaveLength(7)
  for (const table of tables) {
    expect(table).toMatch(/^<table><caption>[^<]+<\/caption>/)
    expect(table).not.toMatch(/<th(?! scope="(?:col|row)")[ >]/)
    expect(table).toMatch(/<tr><th scope="row"/)
  }
  expect(page).not.toMatch(/<meter(?! aria-label=)/)
})

it('has the numbers of every plot in a table, in UTC', async () => {
  const page = await pageOf([hourAt(0), hourAt(3)], EVIDENCE)
  expect(page.match(/<figure>/g)).toHaveLength(3)
  for (const [figure] of page.matchAll(/<figure>.*?<\/figure>/gs))
    expect(figure).toMatch(/aria-hidden="true" data-plot[\s\S]*<summary>Numbers<\/summary>.*<table>/)
  expect(page).toMatch(/<th scope="row">2026-01-02 01:00 UTC<\/th><td class="n">3<\/td><td class="n">1<\/td>/)
  expect(page).toContain('Times are in UTC.')
})

it('draws the evidence by powers of ten with the threshold in view, and escapes its sentence', async () => {
  const page = await pageOf([hourAt(0)], EVIDENCE)
  const { options, values } = drawn(page, 'wealth')
  expect(values.slice(1)).toEqual([
    [0, 5.7, 11.4],
    [0, 6, 12],
    [11.3, 11.3, 11.3],
  ])
  expect(options.scales.y.range(null, 0, 3)).toEqual([0, 12.3])
  expect(options.axes[1]?.values?.(null, [0, 5])).toEqual(['10^0', '10^5'])
  expect(page).toContain('<p class="bad">tokens look like a model with 0.30 nats of noise &#60;b&#62;</p>')
  expect(page).toContain('draws by seeds as murmur3 does')
  expect(page).toMatch(
    /S noise of sampled tokens, nats<\/th><td class="n bad">0.300<\/td><td class="n">0.250 to 0.360<\/td><td class="n">0.000 to 0.070/,
  )
})

it('shows the same evidence as text', async () => {
  const table = (cells: readonly (readonly string[])[]) => cells.map((row) => row.join(' | ')).join('\n')
  const text = evidenceText({ evidence: EVIDENCE }, table)
  expect(text).toContain('log10 of the evidence | 0.0 → 5.7 → 11.4')
  expect(text).toContain(
    'S noise of sampled tokens, nats | 0.300 | 0.250 to 0.360 | 0.000 to 0.070 | 12.0 | 6000',
  )
  expect(text).toContain('T temperature served / asked | - | - | - | 0.0 | 6000')
  expect(evidenceText({}, table)).toBe('')
})

it('says how far the engines are calibrated', async () => {
  const report = explainReport({ source: 'embedded', since: hourAt(0).at, miners: [], now: null })
  const validator = {
    ...{ uid: 1, hotkey: '5Vali', block: 7, epoch: { index: 1, nextBlock: 360 }, models: [], engines: [] },
    ...{ rounds: 1, weights: null, calibrations: [{ model: 'org/<a>', state: 'none' as const }] },
  }
  expect(await writePage({ ...report, validator })).toContain(
    'org/&#60;a&#62; is not calibrated: evidence is shown',
  )
  const stored = { ...calibrationOf('org/m'), engines: [{ version: '0.32.0', dtype: 'bfloat16' }] }
  const calibrated = { ...validator, calibrations: [describeCalibration('org/m', 'calibrated', stored)] }
  const join = (cells: readonly (readonly string[])[]) => cells.map((cell) => cell.join(' | ')).join('\n')
  const text = writeText({ ...report, validator: calibrated }, false, join)
  const page = await writePage({ ...report, validator: calibrated })
  const facts = [
    ['engine 1', 'version 0.32.0, dtype bfloat16'],
    ['tokens drawn again, of them different', '1500, 3'],
    [
      'difference of log probabilities per answer: mean, median, p90, p99, largest (nats)',
      '0.0100, 0.0100, 0.0150, 0.0200, 0.0200',
    ],
  ]
  for (const [name, value] of facts) {
    expect(text).toContain(`${name} | ${value}`)
    expect(page).toContain(`<tr><th scope="row">${name}</th><td>${value}</td></tr>`)
  }
  expect(text).toContain('org/m is calibrated: 36 answers')
})
