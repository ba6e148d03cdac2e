import type { Metagraph, Neuron } from '../../../chain/index.js'

/** A neuron that announced an address. */
export type Serving = Neuron & { readonly axon: NonNullable<Neuron['axon']> }

/**
 * Neurons a validator may query: serving, not itself, and not a validator of more stake than the limit
 * (4.4.1 targon/metagraph.py get_miner_uids).
 */
export function eligibleMiners(
  metagraph: Pick<Metagraph, 'neurons'>,
  self: string,
  vpermitTaoLimit: number,
): Serving[] {
  return metagraph.neurons.filter(
    (neuron): neuron is Serving =>
      neuron.axon !== undefined &&
      neuron.hotkey !== self &&
      !(neuron.validatorPermit && neuron.stakeTao > vpermitTaoLimit),
  )
}
