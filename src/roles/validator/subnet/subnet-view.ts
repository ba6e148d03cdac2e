import type { Metagraph, Neuron } from '../../../chain/index.js'

/** A neuron that has announced an address. */
export type ServingMiner = Neuron & { readonly axon: NonNullable<Neuron['axon']> }

/** The subnet as the validator knows it. Lists are replaced, never modified, so every reader sees a consistent one. */
export interface SubnetView {
  readonly metagraph: Metagraph
  readonly self: Neuron
  /** Newest block received. */
  readonly block: number
  /** Models the validator wants, in the order of their source. */
  readonly wanted: readonly string[]
  readonly miners: readonly ServingMiner[]
  /** Wanted models a miner lists; undefined when it has not answered since it appeared. */
  servedBy(hotkey: string): readonly string[] | undefined
  /** Ignores a block older than the newest. */
  noteBlock(block: number): void
  replaceMetagraph(metagraph: Metagraph): void
  replaceWanted(models: readonly string[]): void
  replaceServed(lists: ReadonlyMap<string, readonly string[]>): void
}

export interface SubnetViewOptions {
  readonly metagraph: Metagraph
  readonly self: Neuron
  readonly wanted: readonly string[]
  readonly vpermitTaoLimit: number
  /** Whether a miner at this address may be queried. */
  readonly allowAddress: (ip: string) => boolean
}

export function createSubnetView(options: SubnetViewOptions): SubnetView {
  let { metagraph, self, wanted } = options
  let { block } = metagraph
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
    get block() {
      return block
    },
    get wanted() {
      return wanted
    },
    get miners() {
      return miners
    },
    servedBy: (hotkey) => served.get(hotkey),
    noteBlock: (number) => {
      block = Math.max(block, number)
    },
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

/**
 * Neurons a validator may query: serving, not itself, and not a validator with more stake than the limit
 * (4.4.1 targon/metagraph.py get_miner_uids).
 */
export function eligibleMiners(
  metagraph: Pick<Metagraph, 'neurons'>,
  self: string,
  vpermitTaoLimit: number,
): ServingMiner[] {
  return metagraph.neurons.filter(
    (neuron): neuron is ServingMiner =>
      neuron.axon !== undefined &&
      neuron.hotkey !== self &&
      !(neuron.validatorPermit && neuron.stakeTao > vpermitTaoLimit),
  )
}
