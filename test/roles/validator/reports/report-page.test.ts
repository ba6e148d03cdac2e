import { createContext, runInContext } from 'node:vm'
import { expect, it } from 'vitest'
import type { ModelReport } from '../../../../src/history/index.js'
import { explainReport } from '../../../../src/roles/validator/reports/explained.js'
import { writePage } from '../../../../src/roles/validator/reports/report-page.js'
import { PAGE_SCRIPT } from '../../../../src/roles/validator/reports/report-page-parts.js'

const HOUR_S = 3600
const start = Date.UTC(2026, 0, 1, 22)
const hourAt = (hour: number, verified = 3) => ({
  ...{ at: new Date(start + hour * HOUR_S * 1000).toISOString(), verified, failed: 1 },
  meanTokensPerSecond: verified > 0 ? 50 : 0,
})

function pageOf(trend: ModelReport['trend']): Promise<string> {
  const model: ModelReport = {
    model: 'org/a',
    window: [50, null],
    verdicts: { verified: 3, inconclusive: 0, failed: { OVERFIT: 1 } },
    ...{ notServing: 0, satOut: 0, tokensPerSecond: null, timeToFirstTokenMs: null, trend },
    lastFailures: [{ at: hourAt(0).at, block: 5, cause: 'OVERFIT', detail: 'position 7', tokens: 8 }],
  }
  const [from, to] = [hourAt(0).at, hourAt(1).at]
  const miners = [{ uid: 5, hotkey: '5Miner', from, to, models: [model] }]
  return writePage(explainReport({ source: 'embedded', since: from, miners, now: null }))
}

interface Plot {
  readonly options: {
    readonly tzDate?: unknown
    readonly scales: { readonly x: { range(...given: unknown[]): number[] } }
    readonly axes: readonly { readonly values?: (plot: null, places: number[]) => string[] }[]
    readonly series: readonly { readonly spanGaps?: boolean; value?(plot: null, at: number | null): string }[]
  }
  readonly values: readonly (readonly (number | null)[])[]
}

/** Runs the script of a page where one kind of plot is drawn, in a browser that only notes what uPlot is given. */
function drawn(page: string, kind: 'trend' | 'window'): Plot {
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
  const page = (await pageOf([hourAt(0), hourAt(3)])).replace(/<script[\s\S]*?<\/script>/g, '')
  expect(page.match(/<main>/g)).toHaveLength(1)
  const tables = page.match(/<table>.*?<\/table>/gs) ?? []
  expect(tables).toHaveLength(5)
  for (const table of tables) {
    expect(table).toMatch(/^<table><caption>[^<]+<\/caption>/)
    expect(table).not.toMatch(/<th(?! scope="(?:col|row)")[ >]/)
    expect(table).toMatch(/<tr><th scope="row"/)
  }
  expect(page).not.toMatch(/<meter(?! aria-label=)/)
})

it('has the numbers of every plot in a table, in UTC', async () => {
  const page = await pageOf([hourAt(0), hourAt(3)])
  for (const [figure] of page.matchAll(/<figure>.*?<\/figure>/gs))
    expect(figure).toMatch(/aria-hidden="true" data-plot[\s\S]*<summary>Numbers<\/summary>.*<table>/)
  expect(page).toMatch(/<th scope="row">2026-01-02 01:00 UTC<\/th><td class="n">3<\/td><td class="n">1<\/td>/)
  expect(page).toContain('Times are in UTC.')
})
