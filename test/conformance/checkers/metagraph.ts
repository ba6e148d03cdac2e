import { eligibleMiners } from '../../../src/roles/validator/subnet/subnet-view.js'
import { ScoreBook } from '../../../src/scoring/index.js'
import { neuronOf } from '../../support/fake-subtensor.js'
import { type Checker, type Finding, sameJson } from '../checker.js'

const AXON = { ip: '1.1.1.1', port: 8091, ipType: 4, protocol: 4, version: 1, block: 1 } as const

interface GetMinerUids {
  readonly neurons: readonly { is_serving: boolean; validator_permit: boolean; stake: number }[]
  readonly self_uid: number
  readonly vpermit_tao_limit: number
}

interface ResyncHotkeys {
  readonly hotkeys: readonly string[]
  readonly previous_hotkeys: readonly string[]
  readonly miner_tps: Readonly<Record<string, Record<string, (number | null)[]> | null>>
}

/** Which miners are queried, and whose history survives a resync. */
export const checker: Checker = {
  vectors: 'metagraph',
  rules: {
    'left-subnet':
      'The original keeps the history of a uid that no longer exists; ours drops a deregistered hotkey at the resync.',
  },
  check: ({ fn, input, expected }) => {
    if (fn === 'get_miner_uids') return compare(minerUids(input), expected.uids)
    const actual = resync(input)
    const found = compare(actual, expected.intended)
    if (found.agrees) return found
    const present = Object.entries(expected.intended).filter(([uid]) => Number(uid) < input.hotkeys.length)
    return sameJson(actual, Object.fromEntries(present))
      ? { agrees: false, explainedBy: 'left-subnet' }
      : found
  },
}

function compare(actual: unknown, wanted: unknown): Finding {
  return sameJson(actual, wanted)
    ? { agrees: true }
    : { agrees: false, detail: `got ${JSON.stringify(actual)}, expected ${JSON.stringify(wanted)}` }
}

function minerUids({ neurons, self_uid: self, vpermit_tao_limit: limit }: GetMinerUids): number[] {
  const subnet = neurons.map((neuron, uid) =>
    neuronOf({
      uid,
      hotkey: `5H${uid}`,
      axon: neuron.is_serving ? AXON : undefined,
      validatorPermit: neuron.validator_permit,
      stakeTao: neuron.stake,
    }),
  )
  return eligibleMiners({ neurons: subnet }, `5H${self}`, limit).map(({ uid }) => uid)
}

/** Scores belong to hotkeys: the old score book is reduced to the current hotkeys and read back by uid. */
function resync({ hotkeys, previous_hotkeys: previous, miner_tps: tps }: ResyncHotkeys) {
  const book = new ScoreBook()
  for (const [uid, models] of Object.entries(tps)) {
    const owner = previous[Number(uid)] ?? hotkeys[Number(uid)]
    if (owner !== undefined) book.restoreMiner(owner, Object.entries(models ?? {}))
  }
  book.keepOnly(new Set(hotkeys))
  return Object.fromEntries(
    hotkeys.map((hotkey, uid) => [
      uid,
      Object.fromEntries(book.models(hotkey).map((model) => [model, book.results(hotkey, model)])),
    ]),
  )
}
