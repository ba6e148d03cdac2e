import type UPlot from 'uplot'
import { element } from './elements.js'
import { fixed } from './formats.js'

/** Defined by /page/uplot.js, which the page loads first. */
declare const uPlot: typeof UPlot

type Tone = 'good' | 'bad' | 'quiet'

export interface PlotSeries {
  readonly label: string
  readonly tone: Tone
  readonly kind: 'line' | 'dashes' | 'points'
  readonly digits: number
  /** Draws over times without a value instead of leaving a gap. */
  readonly joinsGaps?: boolean
  /** Has a scale of its own, from 0 to 100, on the right. */
  readonly isPercent?: boolean
}

export interface PlotOptions {
  readonly caption: string
  /** Of the scale on the left. */
  readonly unit: string
  readonly series: readonly PlotSeries[]
}

type Values = readonly (number | null)[]

const HEIGHT = 200
const MIN_WIDTH = 260
const SHOWN_NUMBERS = 60

/** A plot over time. Its numbers stand beside it as a table, for readers that cannot see it. */
export class Plot {
  readonly #options: PlotOptions
  readonly #figure: HTMLElement
  readonly #place = element('div', { 'aria-hidden': 'true' })
  readonly #numbers = element('details', {}, element('summary', {}, 'Numbers'))
  #plot: UPlot | undefined
  #times: readonly number[] = []
  #values: readonly Values[] = []

  constructor(host: HTMLElement, options: PlotOptions) {
    this.#options = options
    this.#figure = element(
      'figure',
      {},
      element('figcaption', {}, options.caption),
      this.#place,
      this.#numbers,
    )
    host.append(this.#figure)
    this.#numbers.addEventListener('toggle', () => this.#writeNumbers())
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(this.#place)
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#plot?.redraw())
  }

  /** @param times milliseconds since the epoch, rising. @param values per series, one for each time. */
  update(times: readonly number[], values: readonly Values[]): void {
    this.#times = times
    this.#values = values
    const data = [times.map((at) => at / 1000), ...values.map((list) => [...list])] as UPlot.AlignedData
    if (this.#plot) this.#plot.setData(data)
    else this.#plot = new uPlot(this.#describe(), data, this.#place)
    this.#writeNumbers()
  }

  #size(): { width: number; height: number } {
    return { width: Math.max(MIN_WIDTH, Math.floor(this.#place.clientWidth)), height: HEIGHT }
  }

  #describe(): UPlot.Options {
    const { unit, series } = this.#options
    const hasPercent = series.some(({ isPercent }) => isPercent)
    const percentAxis = {
      ...axis(),
      scale: 'percent',
      side: 1,
      label: '%',
      labelSize: 16,
      grid: { show: false },
    }
    return {
      ...this.#size(),
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
      scales: {
        x: { time: true, range: (_, low, high) => (low < high ? [low, high] : [low - 30, low + 30]) },
        y: { range: (_, _low, high) => [0, Math.max(1, (high ?? 1) * 1.1)] },
        percent: { range: [0, 105] },
      },
      axes: [
        { ...axis(), values: hourLabels },
        { ...axis(), label: unit, labelSize: 16, size: 54 },
        ...(hasPercent ? [percentAxis] : []),
      ],
      series: [
        { label: 'UTC', value: (_, at) => (at == null ? '–' : timeText(at)) },
        ...series.map(describeSeries),
      ],
    }
  }

  /** The newest first. Written only while they are open. */
  #writeNumbers(): void {
    if (!this.#numbers.open) return
    const { caption, series } = this.#options
    const lines = this.#times.map((at, place) => {
      const cells = series.map(({ digits }, index) =>
        element('td', { class: 'n' }, fixed(this.#values[index]?.[place], digits)),
      )
      return element('tr', {}, element('th', { scope: 'row' }, timeText(at / 1000)), ...cells)
    })
    const heads = ['UTC', ...series.map(({ label }) => label)].map((name) =>
      element('th', { scope: 'col' }, name),
    )
    const table = element(
      'table',
      {},
      element('caption', { class: 'hidden' }, caption),
      element('thead', {}, element('tr', {}, ...heads)),
      element('tbody', {}, ...lines.toReversed().slice(0, SHOWN_NUMBERS)),
    )
    const region = element(
      'div',
      { class: 'wide', role: 'region', 'aria-label': `${caption}: numbers`, tabindex: '0' },
      table,
    )
    this.#numbers.querySelector('.wide')?.remove()
    this.#numbers.append(region)
  }
}

/** A colour of the page's style, read whenever it is drawn: it differs by the colour scheme. */
function colour(name: string): () => string {
  return () => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
}

function axis() {
  return {
    stroke: colour('quiet'),
    grid: { stroke: colour('line'), width: 1 },
    ticks: { stroke: colour('line'), width: 1 },
  }
}

function describeSeries({
  label,
  tone,
  kind,
  digits,
  isPercent,
  joinsGaps = false,
}: PlotSeries): UPlot.Series {
  const stroke = colour(tone)
  return {
    label,
    stroke,
    spanGaps: joinsGaps,
    scale: isPercent ? 'percent' : 'y',
    value: (_, value) => fixed(value, digits),
    points: {
      show: kind === 'points' ? true : undefined,
      size: kind === 'points' ? 8 : 5,
      stroke,
      fill: stroke,
    },
    ...(kind === 'points' ? { paths: () => null } : { width: 2 }),
    ...(kind === 'dashes' && { dash: [5, 4] }),
  } as UPlot.Series
}

function timeText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(5, 19).replace('T', ' ')
}

/** `14:05`; the date at midnight, and seconds where the plot spans minutes. */
function hourLabels(_: UPlot, places: readonly number[]): string[] {
  const isClose = (places.at(-1) ?? 0) - (places[0] ?? 0) < 300
  return places.map((at) => {
    const text = new Date(at * 1000).toISOString()
    if (isClose) return text.slice(11, 19)
    return text.slice(11, 16) === '00:00' ? text.slice(5, 10) : text.slice(11, 16)
  })
}
