import { describe, expect, it } from 'vitest'
import type { Neuron } from '../../../../src/chain/index.js'
import { createSubnetView, eligibleMiners } from '../../../../src/roles/validator/subnet/subnet-view.js'
import { neuronOf } from '../../../support/fake-subtensor.js'
import { servingMiner } from '../rounds/round-parts.js'

const self = neuronOf({ uid: 0, hotkey: '5Validator', validatorPermit: true, stakeTao: 50_000 })

function metagraphOf(neurons: readonly Neuron[], block = 100) {
  const find = (hotkey: string) => neurons.find((neuron) => neuron.hotkey === hotkey)
  return { netuid: 4, block, blockHash: '0x', neurons: [...neurons], readAt: 0, find }
}

function viewOf(neurons: readonly Neuron[], allowAddress: (ip: string) => boolean = () => true) {
  const metagraph = metagraphOf(neurons)
  return createSubnetView({ metagraph, self, wanted: ['org/a'], vpermitTaoLimit: 4096, allowAddress })
}

describe('eligibleMiners', () => {
  it('excludes this validator, neurons without an address, and validators above the stake limit', () => {
    const miner = servingMiner(1)
    const validator = { ...servingMiner(2), validatorPermit: true, stakeTao: 4096 }
    const neurons = [
      { ...servingMiner(0), hotkey: self.hotkey },
      miner,
      validator,
      { ...validator, uid: 3, hotkey: '5Large', stakeTao: 4097 },
      neuronOf({ uid: 4, hotkey: '5Silent' }),
    ]
    expect(eligibleMiners({ neurons }, self.hotkey, 4096)).toEqual([miner, validator])
  })
})

describe('SubnetView', () => {
  it('leaves out miners at addresses that must not be queried', () => {
    const miner = { ...servingMiner(2), axon: { ...servingMiner(2).axon, ip: '1.1.1.1' } }
    const view = viewOf([self, servingMiner(1), miner], (ip) => ip !== '127.0.0.1')
    expect(view.miners).toEqual([miner])
  })

  it('keeps the newest block, whatever metagraph it reads', () => {
    const view = viewOf([self])
    expect(view.block).toBe(100)
    view.noteBlock(105)
    view.noteBlock(103)
    view.replaceMetagraph(metagraphOf([self], 104))
    expect(view.block).toBe(105)
  })

  it('keeps the models a miner listed until it answers again or leaves the subnet', () => {
    const [first, second] = [servingMiner(1), servingMiner(2)]
    const view = viewOf([self, first, second])
    expect(view.servedBy(first.hotkey)).toBeUndefined()
    view.replaceServed(new Map([first, second].map(({ hotkey }) => [hotkey, ['org/a']])))
    view.replaceServed(new Map([[second.hotkey, []]]))
    expect(view.servedBy(first.hotkey)).toEqual(['org/a'])
    expect(view.servedBy(second.hotkey)).toEqual([])
    view.replaceMetagraph(metagraphOf([self, second]))
    expect(view.servedBy(first.hotkey)).toBeUndefined()
    expect(view.miners).toEqual([second])
  })

  it('keeps its own last registration when its hotkey is missing from a metagraph', () => {
    const view = viewOf([self])
    view.replaceMetagraph(metagraphOf([]))
    expect(view.self).toBe(self)
  })
})
