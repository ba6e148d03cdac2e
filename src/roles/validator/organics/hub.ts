import type { ValidatorSettings } from '../../../config/index.js'
import type { ReferenceEngine } from '../../../engine/index.js'
import type { Clock, Log } from '../../../kernel/index.js'
import type { ScoreBook } from '../../../scoring/index.js'
import type { Signer } from '../../../wallet/index.js'
import type { RoundPorts, RoundResult } from '../rounds/index.js'
import type { SubnetView } from '../subnet/index.js'
import { connectHub } from './hub-client.js'
import { createHubReports, type HubScores } from './hub-reports.js'
import { createOrganics } from './organics.js'

export interface HubOptions {
  readonly clock: Clock
  readonly log: Log
  readonly signer: Signer
  readonly view: SubnetView
  readonly book: ScoreBook
  readonly engines: () => readonly ReferenceEngine[]
  readonly verify: RoundPorts['verify']
}

/** What the validator has to do with the hub; nothing of it is ever waited for. */
export interface Hub {
  onRoundJudged(results: readonly RoundResult[]): void
  onBlock(block: number): void
  /** Weights made of the scores of now were taken, openly or as a commitment that is revealed later. */
  onWeights(path: 'direct' | 'commit'): void
  close(): Promise<void>
}

const OFF: Hub = {
  onRoundJudged: () => {},
  onBlock: () => {},
  onWeights: () => {},
  close: async () => {},
}

/** `--hub.url off` gives a hub that does nothing. */
export function openHub(settings: ValidatorSettings, options: HubOptions, signal: AbortSignal): Hub {
  if (settings['hub.url'] === 'off') return OFF
  const { view, book, signer, clock, log } = options
  const client = connectHub(settings['hub.url'], signer, clock)
  const reports = createHubReports(client, signer.address, log, signal)
  const organics = createOrganics({ ...options, hub: client, signal })
  const withhold = settings['hub.withhold-scores']
  // Others could copy weights from scores: each set is published when it can be read from the chain anyway.
  let published: HubScores = {}
  let committed: HubScores = {}
  return {
    onRoundJudged: (results) =>
      reports.report(results, view.wanted, withhold ? published : scoresByUid(view, book)),
    onBlock: (block) => organics.onBlock(block),
    onWeights: (path) => {
      const current = withhold ? scoresByUid(view, book) : {}
      published = path === 'direct' ? current : committed
      committed = current
    },
    close: () => client.close(),
  }
}

function scoresByUid(view: SubnetView, book: ScoreBook): HubScores {
  return Object.fromEntries(
    view.miners.map(({ uid, hotkey }) => [
      uid,
      Object.fromEntries(book.models(hotkey).map((model) => [model, book.results(hotkey, model)])),
    ]),
  )
}
