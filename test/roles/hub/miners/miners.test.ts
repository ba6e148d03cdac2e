import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { initSr25519 } from '../../../../src/kernel/index.js'
import { type MinersOptions, openMiners } from '../../../../src/roles/hub/miners/index.js'
import { type FakeMiner, startFakeMiner } from '../../../support/fake-miner.js'
import { createFakeSubtensor, neuronOf } from '../../../support/fake-subtensor.js'
import { hotkeyOf } from '../../../support/hotkeys.js'
import { ManualClock, settle } from '../../../support/manual-clock.js'

const log = pino({ level: 'silent' })
const NONE: ReadonlySet<string> = new Set()

const started: FakeMiner[] = []
const ending = new AbortController()
afterEach(async () => {
  for (const miner of started.splice(0)) await miner.close()
})

/** Three miners; uid 0 is the hub’s own hotkey, uid 4 a validator. */
async function open(models: readonly (readonly string[])[], changes: Partial<MinersOptions> = {}) {
  await initSr25519()
  const clock = new ManualClock()
  const [signer, ...others] = await Promise.all([1, 2, 3, 4, 5].map(hotkeyOf))
  if (signer === undefined) throw new Error('no hotkey')
  for (const names of models) started.push(await startFakeMiner({ models: names }))
  const axonAt = (port: number) =>
    ({ ip: '127.0.0.1', port, ipType: 4, protocol: 4, version: 1, block: 1 }) as const
  const neurons = started.map(({ port }, index) => {
    const hotkey = others[index]?.address ?? ''
    return neuronOf({ uid: index + 1, hotkey, coldkey: `c${index}`, axon: axonAt(port), incentive: 0.3 })
  })
  const validator = others[3]?.address ?? ''
  const subtensor = createFakeSubtensor([
    neuronOf({ uid: 0, hotkey: signer.address, axon: axonAt(1) }),
    ...neurons,
    neuronOf({ uid: 4, hotkey: validator, validatorPermit: true, stakeTao: 100 }),
  ])
  const miners = await openMiners({
    ...{ subtensor, signer, clock, log, netuid: 4, allowsPrivate: true, refreshMs: 60_000 },
    ...{ validators: [], random: () => 0.5, signal: ending.signal },
    limits: { coldkeyShare: 1, trickle: 0 },
    ...changes,
  })
  return { miners, subtensor, clock, validator, hotkeys: others.map(({ address }) => address) }
}

describe('the miners of a hub', () => {
  it('are asked for what they serve, the hub’s own hotkey and private addresses left out', async () => {
    const { miners } = await open([['b', 'a'], ['a']])
    expect(miners.models()).toEqual(['a', 'b'])
    expect(miners.report().map(({ uid }) => uid)).toEqual([1, 2])
    expect(miners.choose('b', NONE)?.uid).toBe(1)
    expect(miners.choose('c', NONE)).toBeUndefined()
    const { miners: publicOnly } = await open([], { allowsPrivate: false })
    expect(publicOnly.report()).toEqual([])
  })

  it('are chosen once per request, and not while they rest after failures', async () => {
    const { miners, hotkeys } = await open([['a'], ['a']])
    const first = miners.choose('a', new Set([hotkeys[0] ?? '']))
    expect(first?.uid).toBe(2)
    if (first) for (let count = 0; count < 3; count++) miners.begin(first, 'a').end({ kind: 'failed' })
    for (let count = 0; count < 5; count++) expect(miners.choose('a', NONE)?.uid).toBe(1)
    expect(miners.choose('a', new Set(hotkeys))).toBeUndefined()
  })

  it('lose their share once validators find their answers false', async () => {
    const { miners, validator, hotkeys } = await open([['a'], ['a']])
    const [hotkey = ''] = hotkeys
    for (let count = 0; count < 10; count++)
      miners.noteVerdict({ hotkey, model: 'a', isVerified: false, isOrganic: true, validator })
    expect(miners.choose('a', NONE)?.uid).toBe(2)
    expect(miners.choose('a', new Set([hotkeys[1] ?? '']))).toBeUndefined()
  })

  it('are not judged by hotkeys without a permit, or outside the list', async () => {
    const { miners, hotkeys } = await open([['a']])
    const [hotkey = '', stranger = ''] = hotkeys
    for (let count = 0; count < 10; count++)
      miners.noteVerdict({ hotkey, model: 'a', isVerified: false, isOrganic: true, validator: stranger })
    expect(miners.choose('a', NONE)?.uid).toBe(1)
  })

  it('keep what was reported about them when a validator reports invented hotkeys and models', async () => {
    const { miners, validator, hotkeys } = await open([['a'], ['a']])
    const [hotkey = '', other = ''] = hotkeys
    const note = (about: { hotkey: string; model: string }) =>
      miners.noteVerdict({ ...about, isVerified: false, isOrganic: true, validator })
    for (let count = 0; count < 10; count++) note({ hotkey, model: 'a' })
    for (let count = 0; count < 10_000; count++) note({ hotkey: `invented ${count}`, model: 'a' })
    for (let count = 0; count < 10_000; count++) note({ hotkey: other, model: `invented ${count}` })
    expect(miners.choose('a', new Set([other]))).toBeUndefined()
    expect(miners.choose('a', NONE)?.uid).toBe(2)
  })

  it('are judged anew once they have left the subnet, but not after a time without an address', async () => {
    const { miners, subtensor, clock, validator, hotkeys } = await open([['a'], ['a']])
    const [hotkey = '', other = ''] = hotkeys
    for (let count = 0; count < 20; count++)
      miners.noteVerdict({ hotkey, model: 'a', isVerified: false, isOrganic: true, validator })
    const all = subtensor.neurons
    const readWith = async (neurons: typeof all, listed: number) => {
      subtensor.neurons = neurons
      await clock.advance(60_000)
      await reading(() => miners.report().length === listed)
      expect(miners.report()).toHaveLength(listed)
    }
    const hidden = all.map((neuron) => (neuron.hotkey === hotkey ? { ...neuron, axon: undefined } : neuron))
    await readWith(hidden, 1)
    await readWith(all, 2)
    expect(miners.choose('a', new Set([other]))).toBeUndefined()
    await readWith(
      all.filter((neuron) => neuron.hotkey !== hotkey),
      1,
    )
    await readWith(all, 2)
    expect(miners.choose('a', new Set([other]))?.uid).toBe(1)
  })

  it('are read again: at once while none serves, keep their models for one silent reading, then lose them', async () => {
    const { miners, subtensor, clock } = await open([[]])
    const [miner] = started
    expect(miners.models()).toEqual([])
    if (miner) miner.models = ['a']
    await clock.advance(5000)
    await reading(() => miners.models().length > 0)
    expect(miners.models()).toEqual(['a'])
    const reads = subtensor.metagraphReads
    await clock.advance(30_000)
    expect(subtensor.metagraphReads).toBe(reads)
    await miner?.close()
    started.splice(0)
    await clock.advance(30_000)
    await reading(() => miners.report()[0]?.silent !== null)
    expect(miners.models()).toEqual(['a'])
    await clock.advance(60_000)
    await reading(() => miners.models().length === 0)
    expect(miners.models()).toEqual([])
  })

  it('stay as they were while the chain cannot be read', async () => {
    const { miners, subtensor, clock } = await open([['a']])
    subtensor.failure = new Error('gone')
    await clock.advance(120_000)
    expect(miners.choose('a', NONE)?.uid).toBe(1)
  })
})

/** Waits for answers of real servers. */
async function reading(isDone: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2000 && !isDone(); turn++) await settle()
}
