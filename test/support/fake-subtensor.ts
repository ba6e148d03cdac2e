import type { Metagraph, Neuron, ServeAxonResult, Subtensor } from '../../src/chain/index.js'

/** A neuron with the given facts and neutral defaults. */
export function neuronOf(facts: Partial<Neuron> & { readonly uid: number; readonly hotkey: string }): Neuron {
  return {
    coldkey: facts.hotkey,
    axon: undefined,
    validatorPermit: false,
    stakeTao: 0,
    alphaStake: 0,
    lastUpdateBlock: 0,
    incentive: 0,
    consensus: 0,
    validatorTrust: 0,
    emissionRao: 0,
    ...facts,
  }
}

export interface FakeSubtensor extends Subtensor {
  /** Neurons of the next metagraph. */
  neurons: Neuron[]
  /** Error of every metagraph while set. */
  failure: Error | undefined
  readonly served: { netuid: number; ip: string; port: number }[]
  serveResult: ServeAxonResult
  metagraphReads: number
  clockOffsetMs: number
}

/** The chain client as roles use it, in memory. */
export function createFakeSubtensor(neurons: Neuron[]): FakeSubtensor {
  const fake: FakeSubtensor = {
    endpoint: 'ws://fake',
    genesisHash: `0x${'00'.repeat(32)}`,
    specVersion: 1,
    reconnects: 0,
    clockOffsetMs: 0,
    neurons,
    failure: undefined,
    served: [],
    serveResult: { kind: 'served', blockHash: '0x01' },
    metagraphReads: 0,
    head: () => ({ number: 100, hash: '0x64' }),
    blocks: async function* () {},
    metagraph: async (netuid): Promise<Metagraph> => {
      fake.metagraphReads++
      if (fake.failure) throw fake.failure
      const all = fake.neurons
      return {
        netuid,
        block: 100,
        blockHash: '0x64',
        neurons: all,
        readAt: 0,
        find: (hotkey) => all.find((neuron) => neuron.hotkey === hotkey),
      }
    },
    serveAxon: async (_, axon) => {
      fake.served.push(axon)
      return fake.serveResult
    },
    setWeights: async () => ({ kind: 'unconfirmed', reason: 'not part of this fake' }),
    weightsOf: async () => [],
    close: async () => {},
  }
  return fake
}
