import type { Metagraph, Neuron } from './types.js'

/** Where two views of a subnet differ; `ours` and `theirs` name the first uid that does. */
export interface SubnetDifference {
  readonly what: 'neurons' | 'hotkeys' | 'permits' | 'axons' | 'stake'
  readonly ours: unknown
  readonly theirs: unknown
}

/** What decides which miner a uid stands for, where it is asked, and whether it counts as a miner. */
const COLUMNS: readonly [SubnetDifference['what'], (neuron: Neuron) => unknown][] = [
  ['hotkeys', ({ hotkey }) => hotkey],
  ['permits', ({ validatorPermit }) => validatorPermit],
  ['axons', ({ axon }) => (axon ? `${axon.ip} port ${axon.port}` : 'no axon')],
]

/** Stake moves with every block, so that views a few blocks apart differ a little. */
const STAKE_TOLERANCE = 0.1

/**
 * Compares two views of a subnet uid by uid. Views of one block are equal. Of views a few blocks apart, a registration or a new
 * axon between them counts as a difference too: the next attempt reads both again.
 */
export function findSubnetDifference(ours: Metagraph, theirs: Metagraph): SubnetDifference | undefined {
  const [count, theirCount] = [ours.neurons.length, theirs.neurons.length]
  if (count !== theirCount) return { what: 'neurons', ours: count, theirs: theirCount }
  const pairs = ours.neurons.flatMap((our, uid) => {
    const their = theirs.neurons[uid]
    return their ? [{ uid, our, their }] : []
  })
  const at = (what: SubnetDifference['what'], uid: number, our: unknown, their: unknown) => {
    return { what, ours: `uid ${uid}: ${our}`, theirs: `uid ${uid}: ${their}` }
  }
  for (const [what, read] of COLUMNS) {
    const found = pairs.find(({ our, their }) => read(our) !== read(their))
    if (found) return at(what, found.uid, read(found.our), read(found.their))
  }
  const moved = pairs.find(({ our, their }) => isFar(our.stakeTao, their.stakeTao))
  return moved && at('stake', moved.uid, moved.our.stakeTao, moved.their.stakeTao)
}

/** @returns false for small stakes, which decide nothing. */
function isFar(a: number, b: number): boolean {
  return Math.abs(a - b) > Math.max(1, STAKE_TOLERANCE * Math.max(a, b))
}
