import type { BlockHead } from '../../../chain/index.js'
import type { ScoreBook } from '../../../scoring/index.js'
import type { Feed } from '../../role.js'
import type { RoundPorts, RoundResult } from '../rounds/index.js'
import type { SubnetView, ValidatorContext } from '../subnet/index.js'
import { connectHub } from './hub-client.js'
import { createHubReports, type HubScores } from './hub-reports.js'
import { createOrganics, type OrganicsOptions } from './organics.js'

export interface HubParts {
  readonly book: ScoreBook
  readonly verify: RoundPorts['verify']
  readonly evidence?: OrganicsOptions['evidence']
  readonly events: {
    readonly head: Feed<BlockHead>
    readonly roundJudged: Feed<readonly RoundResult[]>
    /** Weights the chain accepted, in the open or as a commitment that is revealed later. */
    readonly weights: Feed<{ readonly path: 'direct' | 'commit' }>
  }
}

export interface Hub {
  close(): Promise<void>
}

/** Exchanges organics and reports with the hub; nothing waits for it. `--hub.url off` gives a hub that does nothing. */
export function openHub(context: ValidatorContext, { book, verify, evidence, events }: HubParts): Hub {
  const { clock, log, signal, settings, signer, view } = context
  if (settings['hub.url'] === 'off') return { close: async () => {} }
  const client = connectHub(settings['hub.url'], signer, clock)
  const reports = createHubReports(client, signer.address, log, signal)
  const trustsHub = settings['scoring.rules'] === 'targon-4'
  const maxSpeedRatio = trustsHub ? undefined : settings['hub.max-speed-ratio']
  const organics = createOrganics({ ...context, hub: client, book, verify, evidence, maxSpeedRatio })
  const withhold = settings['hub.withhold-scores']
  // Scores would let other validators copy our weights: each set is published once it can be read from the chain anyway.
  let published: HubScores = {}
  let committed: HubScores = {}
  events.roundJudged.subscribe((results) =>
    reports.report(results, view.wanted, withhold ? published : resultsByUid(view, book)),
  )
  events.head.subscribe(() => organics.onBlock(view.block))
  events.weights.subscribe(({ path }) => {
    const current = withhold ? resultsByUid(view, book) : {}
    published = path === 'direct' ? current : committed
    committed = current
  })
  return { close: () => client.close() }
}

function resultsByUid(view: SubnetView, book: ScoreBook): HubScores {
  return Object.fromEntries(
    view.miners.map(({ uid, hotkey }) => [
      uid,
      Object.fromEntries(book.models(hotkey).map((model) => [model, book.results(hotkey, model)])),
    ]),
  )
}
