import type { Metagraph, Neuron } from '../../../chain/index.js'
import { eligibleMiners, type Serving } from './candidates.js'

/** The subnet as the validator knows it now. Every reader sees whole lists: they are replaced, never edited. */
export interface SubnetView {
  readonly metagraph: Metagraph
  readonly self: Neuron
  /** Models the validator wants, in the order of their source. */
  readonly wanted: readonly string[]
  readonly miners: readonly Serving[]
  /** Wanted models a miner said it serves; undefined when it never answered since it appeared. */
  servedBy(hotkey: string): readonly string[] | undefined
  replaceMetagraph(metagraph: Metagraph): void
  replaceWanted(models: readonly string[]): void
  replaceServed(lists: ReadonlyMap<string, readonly string[]>): void
}

export interface SubnetViewOptions {
  readonly metagraph: Metagraph
  readonly self: Neuron
  readonly wanted: readonly string[]
  readonly vpermitTaoLimit: number
  /** Whether an announced address may be asked at all. */
  readonly allowAddress: (ip: string) => boolean
}

export function createSubnetView(options: SubnetViewOptions): SubnetView {
  let { metagraph, self, wanted } = options
  const findMiners = () =>
    eligibleMiners(metagraph, self.hotkey, options.vpermitTaoLimit).filter(({ axon }) =>
      options.allowAddress(axon.ip),
    )
  let miners = findMiners()
  let served: ReadonlyMap<string, readonly string[]> = new Map()
  return {
    get metagraph() {
      return metagraph
    },
    get self() {
      return self
    },
    get wanted() {
      return wanted
    },
    get miners() {
      return miners
    },
    servedBy: (hotkey) => served.get(hotkey),
    replaceMetagraph: (next) => {
      metagraph = next
      self = next.find(self.hotkey) ?? self
      miners = findMiners()
      served = new Map([...served].filter(([hotkey]) => next.find(hotkey) !== undefined))
    },
    replaceWanted: (models) => {
      wanted = models
    },
    replaceServed: (lists) => {
      served = new Map([...served, ...lists])
    },
  }
}
