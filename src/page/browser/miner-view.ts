import { DataTable } from './data-table.js'
import type { MinerHistory, MinerResult, ValidatorDocument, ValidatorMiner } from './documents.js'
import { byId, element, setText } from './elements.js'
import { Figures } from './figures.js'
import { causes, clockTime, fixed, percent, total } from './formats.js'
import { MinerPlots } from './miner-view-plots.js'

const HISTORY_MS = 60_000

/** One miner of a validator, chosen by the address `#miner/<hotkey>`. */
export class MinerView {
  readonly #section = byId('miner')
  #hotkey: string | undefined
  #opened: OpenMiner | undefined
  #document: ValidatorDocument | undefined

  constructor() {
    addEventListener('hashchange', () => this.#follow())
    byId('miner-close').addEventListener('click', () => {
      location.hash = '#board'
    })
    this.#follow()
  }

  update(document: ValidatorDocument): void {
    this.#document = document
    this.#draw()
  }

  #follow(): void {
    this.#hotkey = /^#miner\/([1-9A-HJ-NP-Za-km-z]{1,64})$/.exec(location.hash)?.[1]
    this.#opened = undefined
    byId('miner-body').replaceChildren()
    this.#section.hidden = this.#hotkey === undefined
    this.#draw()
    if (this.#hotkey === undefined) return
    this.#section.scrollIntoView({ block: 'start' })
    byId('miner-title').focus({ preventScroll: true })
  }

  #draw(): void {
    if (this.#hotkey === undefined || !this.#document) return
    const miner = this.#document.miners.find(({ hotkey }) => hotkey === this.#hotkey)
    setText(byId('miner-title'), miner ? `Miner uid ${miner.uid}` : 'Miner')
    setText(byId('miner-hotkey'), this.#hotkey)
    setText(byId('miner-missing'), miner ? '' : 'The validator does not know a miner with this hotkey.')
    if (!miner) return
    this.#opened ??= new OpenMiner(byId('miner-body'), this.#hotkey, this.#document.history !== false)
    this.#opened.update(miner)
  }
}

class OpenMiner {
  readonly #hotkey: string
  readonly #hasHistory: boolean
  readonly #figures: Figures
  readonly #evidence = element('div')
  readonly #plots: MinerPlots
  readonly #results: DataTable<MinerResult>
  #seen: ValidatorMiner | undefined
  #historyAt = Number.NEGATIVE_INFINITY
  #isReading = false

  constructor(host: HTMLElement, hotkey: string, hasHistory: boolean) {
    this.#hotkey = hotkey
    this.#hasHistory = hasHistory
    const figures = element('dl', { class: 'figures' })
    const plots = element('div', { class: 'plots' })
    host.append(figures, this.#evidence, plots)
    this.#figures = new Figures(figures)
    this.#plots = new MinerPlots(plots)
    host.append(element('h3', {}, 'Last answers'))
    this.#results = new DataTable(host, {
      caption: 'Last answers of this miner, newest first',
      columns: [
        { name: 'UTC', text: ({ at }) => clockTime(at), title: ({ at }) => at },
        { name: 'round', isNumber: true, text: ({ round }) => String(round) },
        { name: 'model', text: ({ model }) => model },
        {
          ...{ name: 'verdict', text: ({ kind, cause }) => (cause === null ? kind : `${kind}: ${cause}`) },
          tone: ({ kind }) => (kind === 'failed' ? 'bad' : kind === 'verified' ? undefined : 'quiet'),
        },
        { name: 'tokens', isNumber: true, text: ({ tokens }) => String(tokens) },
        { name: 'tokens/s', isNumber: true, text: (one) => fixed(one.tokensPerSecond, 1) },
        { name: 'first token, ms', isNumber: true, text: (one) => fixed(one.timeToFirstTokenMs, 0) },
        { name: 'detail', text: ({ detail }) => detail ?? '' },
      ],
      keyOf: ({ round, model, at }) => `${round} ${model} ${at}`,
      empty: 'No answer since the validator started.',
    })
  }

  update(miner: ValidatorMiner): void {
    if (this.#seen === miner) return
    this.#seen = miner
    this.#figures.update(figuresOf(miner))
    const accused = (miner.evidence ?? []).filter(({ level }) => level !== 'clean')
    this.#evidence.replaceChildren(
      ...accused.map(({ model, sentence }) => element('p', { class: 'bad' }, `${model}: ${sentence}`)),
    )
    void this.#read()
  }

  /** Reads what the events leave out. A failure is left to the next change: the page shows whether it is connected. */
  async #read(): Promise<void> {
    if (this.#isReading) return
    this.#isReading = true
    try {
      const { results } = await getJson<{ readonly results: readonly MinerResult[] }>(
        `/results?miner=${this.#hotkey}`,
      )
      this.#results.update(results.toReversed())
      this.#plots.showResults(results)
      if (!this.#hasHistory || performance.now() - this.#historyAt < HISTORY_MS) return
      this.#historyAt = performance.now()
      const report = await getJson<{ readonly miners: readonly MinerHistory[] }>(
        `/report?hours=24&miner=${this.#hotkey}`,
      )
      const [history] = report.miners
      if (history) this.#plots.showHistory(history)
    } catch {
      this.#seen = undefined
    } finally {
      this.#isReading = false
    }
  }
}

function figuresOf({ verdicts, meanTokensPerSecond, score, models }: ValidatorMiner) {
  const failed = total(verdicts.failed)
  return [
    {
      name: 'verified',
      value: `${verdicts.verified} (${percent(verdicts.verified, verdicts.verified + failed)})`,
    },
    {
      name: 'failed',
      value: failed === 0 ? '0' : causes(verdicts.failed),
      tone: failed > verdicts.verified ? ('bad' as const) : undefined,
    },
    { name: 'no verdict', value: String(verdicts.inconclusive) },
    { name: 'mean tokens/s', value: fixed(meanTokensPerSecond, 1) },
    { name: 'score', value: fixed(score, 3) },
    { name: 'models', value: models.join(', ') || 'none' },
  ]
}

async function getJson<T>(path: string): Promise<T> {
  const response = await fetch(path, { cache: 'no-store' })
  if (!response.ok) throw new Error(`${path} gave ${response.status}`)
  return (await response.json()) as T
}
