import type { BlockHead, Neuron } from '../../src/chain/index.js'
import { createRigChain, type RigChain } from '../../test/roles/validator/validator-rig.js'
import { neuronOf } from '../../test/support/fake-subtensor.js'
import { hotkeyOf } from '../../test/support/hotkeys.js'

/** A chain that keeps nothing of what was submitted, so that it can not be taken for a leak of the validator. */
export interface SoakChain {
  readonly chain: RigChain
  /** Goes on to this block. */
  grow(block: number): void
  /** Another miner takes the place of one. */
  replaceMiner(uid: number): Promise<void>
}

/** @param port where all miners list their models */
export async function createSoakChain(
  { signer, miners, port }: { readonly signer: string; readonly miners: number; readonly port: number },
  startBlock: number,
): Promise<SoakChain> {
  const axon = { ip: '127.0.0.1', port, ipType: 4, protocol: 4, version: 1, block: 1 } as const
  let hotkeys = 0
  const minerOf = async (uid: number): Promise<Neuron> => {
    const seed = Buffer.alloc(32, 7)
    seed.writeUInt32LE(++hotkeys)
    return neuronOf({ uid, hotkey: (await hotkeyOf(seed)).address, axon })
  }
  const self = neuronOf({ uid: 0, hotkey: signer, validatorPermit: true, stakeTao: 50_000 })
  const others = await Promise.all(Array.from({ length: miners }, (_, index) => minerOf(index + 1)))
  let wake: (head: BlockHead) => void = () => {}
  const rig = createRigChain([self, ...others], startBlock)
  const chain = Object.assign(rig, {
    async *blocks(signal: AbortSignal) {
      while (!signal.aborted)
        yield await new Promise<BlockHead>((resolve) => {
          wake = resolve
        })
    },
  })
  return {
    chain,
    grow: (block) => {
      Object.assign(chain, { submissions: [] })
      chain.grow(block)
      wake({ number: block, hash: `0x${block}` })
    },
    replaceMiner: async (uid) => {
      const next = await minerOf(uid)
      chain.neurons = chain.neurons.map((neuron) => (neuron.uid === uid ? next : neuron))
    },
  }
}
