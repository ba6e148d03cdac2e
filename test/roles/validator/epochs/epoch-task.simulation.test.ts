import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import pino from 'pino'
import { expect, test } from 'vitest'
import type { SetWeightsResult } from '../../../../src/chain/index.js'
import { createRandom } from '../../../../src/prompts/index.js'
import { EpochTask } from '../../../../src/roles/validator/epochs/epoch-task.js'
import { createWeightsJob } from '../../../../src/roles/validator/epochs/weights-job.js'
import { createSubnetView } from '../../../../src/roles/validator/subnet/subnet-view.js'
import { ScoreBook } from '../../../../src/scoring/index.js'
import { neuronOf } from '../../../support/fake-subtensor.js'
import { hotkeyOf } from '../../../support/hotkeys.js'
import { ManualClock, settle } from '../../../support/manual-clock.js'
import { createRigChain, createRigContext, MODEL, openRigWeights } from '../validator-rig.js'

/** Up to three faults each: every pair of the six kinds follows one another about thirty times. */
const EPOCHS = 400
const LENGTH = 60
// Measures live bytes after a collection.
setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')
function measureHeap(): number {
  collect()
  return process.memoryUsage().heapUsed
}

const FAULTS = ['too-fast', 'unconfirmed', 'lands unseen', 'throws', 'hangs', 'resync fails'] as const

test('submits once in each of 400 epochs with random faults, and leaks no memory', async () => {
  const random = createRandom('epochs')
  const clock = new ManualClock()
  const log = pino({ level: 'silent' })
  const abort = new AbortController()
  const signer = await hotkeyOf(200)
  const axon = { ip: '1.1.1.1', port: 1, ipType: 4, protocol: 4, version: 1, block: 1 } as const
  const chain = createRigChain(
    [neuronOf({ uid: 0, hotkey: signer.address }), neuronOf({ uid: 1, hotkey: 'miner', axon })],
    LENGTH,
  )
  const view = createSubnetView({
    metagraph: await chain.metagraph(4),
    self: chain.neurons[0]!,
    wanted: [MODEL],
    vpermitTaoLimit: 1,
    allowAddress: () => true,
  })
  view.replaceServed(new Map([['miner', [MODEL]]]))
  const book = new ScoreBook()
  book.record('miner', MODEL, 50, 1)

  /** At most three faults per epoch: with more faults than attempts a missed epoch is not a bug. */
  let faultsLeft = 0
  const fault = () => {
    if (faultsLeft === 0 || random.next() < 0.4) return undefined
    faultsLeft--
    return random.pick(FAULTS)
  }
  const healthy = chain.setWeights
  /** Called when the task waits for the next head, or when a submission hangs. */
  let onIdle: () => void = () => {}
  let onHang: () => void = () => {}
  const nextStop = () =>
    new Promise<'idle' | 'hangs'>((resolve) => {
      onIdle = () => resolve('idle')
      onHang = () => resolve('hangs')
    })
  const refusal = { class: 'too-fast', name: 'SettingWeightsTooFast', detail: '' } as const
  chain.setWeights = async (...args): Promise<SetWeightsResult> => {
    switch (fault()) {
      case 'too-fast':
        return { kind: 'refused', refusal }
      case 'unconfirmed':
        return { kind: 'unconfirmed', reason: 'no answer' }
      case 'lands unseen': {
        await healthy(...args)
        chain.neurons = chain.neurons.map((one) =>
          one.hotkey === signer.address ? { ...one, lastUpdateBlock: one.lastUpdateBlock + 1 } : one,
        )
        return { kind: 'unconfirmed', reason: 'the connection was lost' }
      }
      case 'throws':
        throw new Error('socket closed')
      case 'hangs':
        onHang()
        return new Promise(() => {})
      default:
        return healthy(...args)
    }
  }
  const folder = await mkdtemp(join(tmpdir(), 'targon-epochs-'))
  const pipeline = await openRigWeights(chain, { clock, log, signer, signal: abort.signal, folder })
  const job = createWeightsJob({
    context: createRigContext({ view }),
    ...{ book, pipeline, onSet: () => {} },
  })
  const none = async () => {}
  const task = new EpochTask(
    {
      clock,
      log,
      epochLength: LENGTH,
      startBlock: LENGTH,
      weightsDueAtStart: true,
      onPhase: (phase) => {
        if (phase === 'waiting') onIdle()
      },
      jobs: {
        resync: async () => {
          if (random.next() < 0.1) throw new Error('rpc lost')
          view.replaceMetagraph(await chain.metagraph(4))
        },
        setWeights: job,
        refreshModels: none,
        refreshEngines: none,
        broadcast: none,
        finish: none,
      },
    },
    abort.signal,
  )
  let block = LENGTH
  let epoch = 1
  const heap: number[] = []
  const acted: number[] = []
  const takeSubmissions = () => {
    for (const { block: at } of chain.submissions.splice(0)) acted.push(Math.floor(at / LENGTH))
  }
  while (block < (EPOCHS + 1) * LENGTH - 1) {
    block = Math.min(block + random.integer(1, 7), (EPOCHS + 1) * LENGTH - 1)
    const index = Math.floor(block / LENGTH)
    if (index > epoch) {
      faultsLeft = 3
      takeSubmissions()
    }
    // The heap once everything is warm, and 240 epochs later.
    if (index > epoch && (index === 160 || index === EPOCHS)) heap.push(measureHeap())
    epoch = index
    // Results, misses and organics: windows stay bounded, and organics expire with their epoch.
    book.record('miner', MODEL, random.next() * 100, block)
    book.recordOrganics('miner', [random.next() * 100, null], block)
    book.expireOrganics(block - LENGTH)
    chain.grow(block)
    const stop = nextStop()
    task.onHead({ number: block, hash: '0x' })
    // Sometimes a head is repeated or an older one arrives.
    if (random.next() < 0.1) task.onHead({ number: block - random.integer(0, 3), hash: '0x' })
    if ((await stop) === 'hangs') {
      const afterwards = nextStop()
      await clock.advance(180_000)
      expect(await afterwards).toBe('idle')
    }
    await settle()
    expect(clock.waiting).toBe(0)
  }
  abort.abort()
  await task.done
  await pipeline.close()
  await rm(folder, { recursive: true })
  takeSubmissions()
  expect(acted).toEqual(Array.from({ length: EPOCHS }, (_, index) => index + 1))
  const [warm = 0, end = 0] = heap
  expect(heap).toHaveLength(2)
  // about 140 bytes for each head between
  expect(end - warm).toBeLessThan(480 << 10)
}, 300_000)
