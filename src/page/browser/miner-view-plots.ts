import type { MinerHistory, MinerResult } from './documents.js'
import { element } from './elements.js'
import { Plot } from './plots.js'

const timesOf = (list: readonly { readonly at: string }[]) => list.map(({ at }) => Date.parse(at))

/** The plots of one miner on a validator's page: its last answers, and what the history has. */
export class MinerPlots {
  readonly #host: HTMLElement
  readonly #speed: Plot
  readonly #firstToken: Plot
  /** By model and kind. */
  readonly #history = new Map<string, Plot>()

  constructor(host: HTMLElement) {
    this.#host = host
    this.#speed = new Plot(host, {
      caption: 'Speed of the last answers',
      unit: 'tokens/s',
      series: [
        { label: 'verified, tokens/s', tone: 'good', kind: 'line', digits: 1 },
        { label: 'failed', tone: 'bad', kind: 'points', digits: 0 },
      ],
    })
    this.#firstToken = new Plot(host, {
      caption: 'Time to first token of the last answers',
      unit: 'ms',
      series: [{ label: 'ms', tone: 'good', kind: 'line', digits: 0 }],
    })
  }

  showResults(results: readonly MinerResult[]): void {
    const judged = results.filter(({ kind }) => kind !== 'inconclusive')
    this.#speed.update(timesOf(judged), [
      judged.map(({ kind, tokensPerSecond }) => (kind === 'verified' ? tokensPerSecond : null)),
      judged.map(({ kind }) => (kind === 'failed' ? 0 : null)),
    ])
    const answered = results.filter(({ timeToFirstTokenMs }) => timeToFirstTokenMs > 0)
    this.#firstToken.update(timesOf(answered), [answered.map(({ timeToFirstTokenMs }) => timeToFirstTokenMs)])
  }

  showHistory({ models }: MinerHistory): void {
    for (const { model, trend, evidence } of models) {
      if (trend.length > 0)
        this.#plotOf(model, 'trend').update(timesOf(trend), [
          trend.map(({ verified, meanTokensPerSecond }) => (verified > 0 ? meanTokensPerSecond : null)),
          trend.map(({ verified, failed }) => (100 * failed) / Math.max(1, verified + failed)),
        ])
      if (evidence && evidence.points.length > 0) {
        const { points, threshold } = evidence
        this.#plotOf(model, 'evidence').update(timesOf(points), [
          points.map(({ enforced }) => enforced),
          points.map(({ suspicion }) => suspicion),
          points.map(() => threshold),
        ])
      }
    }
  }

  #plotOf(model: string, kind: 'trend' | 'evidence'): Plot {
    const key = `${kind} ${model}`
    const known = this.#history.get(key)
    if (known) return known
    const place = element('div')
    this.#host.append(place)
    const plot = kind === 'trend' ? trendPlot(place, model) : evidencePlot(place, model)
    this.#history.set(key, plot)
    return plot
  }
}

function trendPlot(host: HTMLElement, model: string): Plot {
  return new Plot(host, {
    caption: `${model}: by hour`,
    unit: 'tokens/s',
    series: [
      { label: 'mean tokens/s', tone: 'good', kind: 'line', digits: 1 },
      { label: '% failed', tone: 'bad', kind: 'dashes', digits: 0, isPercent: true },
    ],
  })
}

function evidencePlot(host: HTMLElement, model: string): Plot {
  return new Plot(host, {
    caption: `${model}: evidence, by powers of ten`,
    unit: '10^n',
    series: [
      { label: 'beyond other hardware', tone: 'bad', kind: 'line', digits: 1 },
      { label: 'beyond the own engine', tone: 'good', kind: 'dashes', digits: 1 },
      { label: 'accuses', tone: 'quiet', kind: 'dashes', digits: 1 },
    ],
  })
}
