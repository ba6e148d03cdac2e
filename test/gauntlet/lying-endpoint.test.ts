import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { SubtensorClient, WeightEntry } from '../../src/chain/index.js'
import type { Signer } from '../../src/wallet/index.js'
import { type Subnet, startSubnet } from '../chain/subnet.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { aboutItem, type Lie, type LyingEndpoint, startLyingEndpoint } from '../support/lying-endpoint.js'
import { scaled } from './scale.js'
import { GAUNTLET_SEED } from './seed.js'
import { startTally } from './tally.js'

const MINERS = [2, 3, 4, 5, 6, 7]
let subnet: Subnet
let liar: LyingEndpoint
/** By uid: two validators and the miners. */
let signers: readonly Signer[]

beforeEach(async () => {
  signers = await Promise.all([0, 1, ...MINERS].map((index) => hotkeyOf(index)))
  subnet = await startSubnet({
    ...{ sealing: 'auto', weightsSetRateLimit: 0, servingRateLimit: 0 },
    neurons: signers.map(({ publicKey }, uid) => ({
      ...{ hotkey: publicKey, coldkey: new Uint8Array(32).fill(uid + 1), validatorPermit: uid < 2 },
      stakeTao: uid < 2 ? 1000 : 10,
    })),
  })
  liar = await startLyingEndpoint(subnet.dev.url)
  const honest = await subnet.connect()
  for (const uid of MINERS)
    await honest.serveAxon(await hotkeyOf(uid), { netuid: 4, ip: `203.0.113.${uid}`, port: 8091 })
})
afterEach(async () => {
  await subnet.close()
  await liar.close()
})

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

interface Told {
  readonly lie: 'swap' | 'axon' | 'stake' | 'item' | 'silence' | 'none'
  readonly a: number
  readonly b: number
  readonly item: string
  readonly value: number
  readonly silent: string
  /** Where the metagraph is false. */
  readonly where: 'always' | 'final' | 'not-final'
}

const ITEMS = [
  'MaxWeightsLimit',
  'MinAllowedWeights',
  'SubnetworkN',
  'WeightsVersionKey',
  'LastUpdate',
  'Uids',
]
const ITEMS_TOO = ['ValidatorPermit', 'CommitRevealWeightsEnabled', 'WeightsSetRateLimit', 'MaxAllowedUids']
const SILENCES = ['chain_getBlockHash', 'chain_getFinalizedHead', 'state_call', 'state_getStorage']

const told: fc.Arbitrary<Told> = fc.record({
  lie: fc.constantFrom<Told['lie'][]>('swap', 'swap', 'axon', 'stake', 'item', 'silence', 'none'),
  a: fc.constantFrom(...MINERS),
  b: fc.constantFrom(...MINERS),
  item: fc.constantFrom(...ITEMS, ...ITEMS_TOO),
  value: fc.nat({ max: 65_535 }),
  silent: fc.constantFrom(...SILENCES),
  where: fc.constantFrom<Told['where'][]>('always', 'final', 'not-final'),
})

function tell({ lie, a, b, item, value, silent, where }: Told): void {
  liar.lies.clear()
  const final = `0x${hex(subnet.dev.chain.finalized.hash)}`
  const change = (edit: (text: string) => string): Lie => {
    return (result, [method, , blockHash]) => {
      const isFalse = where === 'always' || (blockHash === final) === (where === 'final')
      return String(method).endsWith('get_selective_metagraph') && isFalse ? edit(String(result)) : result
    }
  }
  const [keyA, keyB] = [a, b].map((uid) => hex(signers[uid]?.publicKey ?? new Uint8Array(32)))
  const swap = (text: string) =>
    text
      .replaceAll(keyA ?? '', '*')
      .replaceAll(keyB ?? '', keyA ?? '')
      .replaceAll('*', keyB ?? '')
  const address = (uid: number) => `${uid.toString(16).padStart(2, '0')}7100cb`
  const amount = (tao: number) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64LE(BigInt(tao) * 1_000_000_000n)
    return bytes.toString('hex')
  }
  if (lie === 'swap') liar.lies.set('state_call', change(swap))
  if (lie === 'axon')
    liar.lies.set(
      'state_call',
      change((text) => text.replaceAll(address(a), address(99))),
    )
  if (lie === 'stake')
    liar.lies.set(
      'state_call',
      change((text) => text.replaceAll(amount(10), amount(9_999))),
    )
  const short = Buffer.alloc(2)
  short.writeUInt16LE(value)
  if (lie === 'item')
    liar.lies.set(
      'state_getStorage',
      aboutItem(item, (real) => (real === null ? `0x${hex(short)}` : `0x${hex(short)}${real.slice(6)}`)),
    )
  if (lie === 'silence') liar.lies.set(silent, () => null)
}

it('whatever one of two endpoints says, the weights are those of the honest one or are not set (F30, T-C4)', async ({
  task,
}) => {
  const tally = startTally(task, { fault: 'F30', kind: 'lies of a chain endpoint', full: 150, isDrawn: true })
  const validator = await hotkeyOf(0)
  /** The score of a miner is its number, and belongs to its hotkey. */
  const honest: WeightEntry[] = MINERS.map((uid) => ({ uid, weightU16: Math.round((uid / 7) * 65_535) }))
  const witness = await subnet.connect()
  let set = 0
  await fc.assert(
    fc.asyncProperty(told, fc.boolean(), async (lies, isFirst) => {
      tell(lies)
      const endpoints = isFirst ? [liar.url, subnet.dev.url] : [subnet.dev.url, liar.url]
      let chain: SubtensorClient | undefined
      try {
        chain = await subnet.connect({ endpoints, rpcTimeoutMs: 3000 })
        const { neurons, find } = await chain.metagraph(4)
        const miners = neurons.filter(
          ({ axon, validatorPermit, stakeTao }) => axon && !(validatorPermit && stakeTao > 4096),
        )
        const scored = MINERS.flatMap((score) => {
          const uid = find(signers[score]?.address ?? '')?.uid
          return uid !== undefined && miners.some((miner) => miner.uid === uid) ? [{ uid, score }] : []
        })
        const uids = scored.map(({ uid }) => uid)
        const scores = scored.map(({ score }) => score)
        const result = await chain.setWeights(validator, { netuid: 4, uids, scores, versionKey: 404_010 })
        if (result.kind === 'set') set++
      } catch {
        // Not set, which is one of the two right outcomes.
      } finally {
        await chain?.close()
      }
      const stored = await witness.weightsOf(4, 0)
      if (stored.length > 0) expect(stored).toEqual(honest)
      tally.count++
    }),
    { numRuns: scaled(tally.full, 25), seed: GAUNTLET_SEED },
  )
  expect(set).toBeGreaterThan(0)
}, 1_800_000)
