import { type Column, DataTable } from './data-table.js'
import type { ValidatorDocument, ValidatorMiner } from './documents.js'
import { evidenceText, severityOf, worstEvidence } from './evidence.js'
import { causes, fixed, percent, shortKey, total } from './formats.js'

/** A miner with its weight in the last vector. */
export interface BoardRow {
  readonly miner: ValidatorMiner
  readonly weightU16: number | undefined
}

/** Where the page shows one miner. */
export function minerLink(hotkey: string): string {
  return `#miner/${hotkey}`
}

const COLUMNS: readonly Column<BoardRow>[] = [
  { name: 'uid', isNumber: true, text: ({ miner }) => String(miner.uid), order: ({ miner }) => miner.uid },
  {
    name: 'hotkey',
    text: ({ miner }) => shortKey(miner.hotkey),
    title: ({ miner }) => miner.hotkey,
    href: ({ miner }) => minerLink(miner.hotkey),
  },
  {
    name: 'verified',
    isNumber: true,
    text: ({ miner }) => verifiedText(miner.verdicts),
    order: ({ miner: { verdicts } }) => shareOf(verdicts),
    title: ({ miner: { verdicts } }) => causes(verdicts.failed) || undefined,
    tone: ({ miner: { verdicts } }) => (total(verdicts.failed) > verdicts.verified ? 'bad' : undefined),
  },
  {
    name: 'tokens/s',
    isNumber: true,
    text: ({ miner }) => (miner.meanTokensPerSecond > 0 ? fixed(miner.meanTokensPerSecond, 1) : '–'),
    order: ({ miner }) => miner.meanTokensPerSecond,
  },
  {
    name: 'score',
    isNumber: true,
    text: ({ miner }) => fixed(miner.score, 3),
    order: ({ miner }) => miner.score,
  },
  {
    name: 'weight',
    isNumber: true,
    text: ({ weightU16 }) => (weightU16 === undefined ? '–' : String(weightU16)),
    order: ({ weightU16 }) => weightU16,
  },
  {
    name: 'evidence',
    text: ({ miner }) => evidenceText(miner.evidence),
    title: ({ miner }) => worstEvidence(miner.evidence)?.sentence,
    order: ({ miner }) => severityOf(miner.evidence),
    tone: ({ miner }) => ((severityOf(miner.evidence) ?? 0) >= 1000 ? 'bad' : undefined),
  },
  {
    name: 'last answer',
    text: ({ miner: { last } }) =>
      !last ? '–' : last.kind === 'verified' ? 'verified' : `${last.kind}: ${last.cause ?? ''}`,
    tone: ({ miner: { last } }) => (last?.kind === 'failed' ? 'bad' : last ? undefined : 'quiet'),
  },
  {
    name: 'models',
    text: ({ miner }) => (miner.models.length === 0 ? 'none' : miner.models.join(', ')),
    tone: ({ miner }) => (miner.models.length === 0 ? 'quiet' : undefined),
  },
]

function shareOf({ verified, failed }: ValidatorMiner['verdicts']): number | undefined {
  const judged = verified + total(failed)
  return judged === 0 ? undefined : verified / judged
}

/** `93 % of 41`: of the answers that were verified or failed. */
function verifiedText({ verified, failed }: ValidatorMiner['verdicts']): string {
  const judged = verified + total(failed)
  return judged === 0 ? '–' : `${percent(verified, judged)} of ${judged}`
}

/** The board of all miners, with a field that filters it. */
export class Board {
  readonly #table: DataTable<BoardRow>
  readonly #filter: HTMLInputElement
  /** Rows of the last document: a row that is the same is not drawn again. */
  #rows = new Map<string, BoardRow>()

  constructor(host: HTMLElement, filter: HTMLInputElement) {
    this.#filter = filter
    this.#table = new DataTable(host, {
      caption: 'Miners by score',
      columns: COLUMNS,
      keyOf: ({ miner }) => miner.hotkey,
      sort: { column: 'score', isAscending: false },
      empty: 'No miner to show.',
    })
    filter.addEventListener('input', () => this.#show())
  }

  update({ miners, weights }: ValidatorDocument): void {
    const weightOf = new Map(weights?.entries.map(({ uid, weightU16 }) => [uid, weightU16]))
    this.#rows = new Map(
      miners.map((miner) => {
        const weightU16 = weights ? (weightOf.get(miner.uid) ?? 0) : undefined
        const before = this.#rows.get(miner.hotkey)
        const isSame = before?.miner === miner && before.weightU16 === weightU16
        return [miner.hotkey, isSame ? before : { miner, weightU16 }]
      }),
    )
    this.#show()
  }

  #show(): void {
    const wanted = this.#filter.value.trim().toLowerCase()
    const rows = [...this.#rows.values()]
    this.#table.update(wanted === '' ? rows : rows.filter((row) => matches(row, wanted)))
  }
}

/** A uid exactly, or a part of hotkey, model or evidence. */
function matches({ miner }: BoardRow, wanted: string): boolean {
  const { uid, hotkey, models, evidence } = miner
  if (/^\d+$/.test(wanted)) return String(uid) === wanted
  const texts = [hotkey, ...models, worstEvidence(evidence)?.level ?? '']
  return texts.some((text) => text.toLowerCase().includes(wanted))
}
