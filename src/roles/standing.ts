import { z } from 'zod'
import type { Neuron } from '../chain/index.js'

/** What the last metagraph says of a running neuron, in the document of `GET /status`. */
export const neuronStanding = z.object({
  stakeTao: z.number(),
  hasPermit: z.boolean(),
  /** 0 to 1, like `consensus` and `validatorTrust`. */
  incentive: z.number(),
  consensus: z.number(),
  validatorTrust: z.number(),
  /** Of the last epoch of the chain. */
  emissionRao: z.number(),
  /** Block in which it last set weights. */
  lastUpdateBlock: z.number(),
})

export type NeuronStanding = z.output<typeof neuronStanding>

export function standingOf(neuron: Neuron): NeuronStanding {
  const { stakeTao, validatorPermit, incentive, consensus, validatorTrust, emissionRao, lastUpdateBlock } =
    neuron
  return {
    ...{ stakeTao, hasPermit: validatorPermit, incentive, consensus, validatorTrust },
    ...{ emissionRao, lastUpdateBlock },
  }
}
