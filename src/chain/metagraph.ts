import { z } from 'zod'
import { addressOf, TargonError } from '../kernel/index.js'
import { formatIp } from './ip-address.js'
import type { ReadAt, Runtime } from './runtime.js'
import type { Axon, Metagraph, Neuron } from './types.js'

const TRAIT = 'SubnetInfoRuntimeApi'
const RAO_PER_TAO = 1e9
const U16_MAX = 65_535

/** Columns of get_metagraph this client reads; their positions in the runtime's struct select them. */
const COLUMNS = [
  'hotkeys',
  'coldkeys',
  'axons',
  'validator_permit',
  'last_update',
  'emission',
  'incentives',
  'consensus',
  'alpha_stake',
  'total_stake',
] as const

const keys = z.array(z.instanceof(Uint8Array))
const integers = z.array(z.union([z.number(), z.bigint()]))

const axonSchema = z.object({
  block: z.union([z.number(), z.bigint()]),
  version: z.number(),
  ip: z.bigint(),
  port: z.number(),
  ip_type: z.number(),
  protocol: z.number(),
})

const columnsSchema = z.object({
  hotkeys: keys,
  coldkeys: keys,
  axons: z.array(axonSchema),
  validator_permit: z.array(z.boolean()),
  last_update: integers,
  emission: integers,
  incentives: integers,
  consensus: integers,
  alpha_stake: integers,
  total_stake: integers,
})

type Columns = z.infer<typeof columnsSchema> & { validator_trust?: readonly (number | bigint)[] }

const liteSchema = z.array(
  z.object({
    hotkey: z.instanceof(Uint8Array),
    coldkey: z.instanceof(Uint8Array),
    axon_info: axonSchema,
    stake: z.array(z.tuple([z.instanceof(Uint8Array), z.union([z.number(), z.bigint()])])),
    validator_permit: z.boolean(),
    last_update: z.union([z.number(), z.bigint()]),
    emission: z.union([z.number(), z.bigint()]),
    incentive: z.number(),
    consensus: z.number(),
    validator_trust: z.number(),
  }),
)

/** Encodes public keys as ss58 addresses, once per key: the same keys return with every metagraph. */
export type AddressBook = (publicKey: Uint8Array) => string

/** Several subnets of 1,024 neurons; beyond that the oldest keys are dropped. */
const MAX_ADDRESSES = 16_384

export function createAddressBook(): AddressBook {
  const known = new Map<string, string>()
  return (publicKey) => {
    const key = Buffer.from(publicKey.buffer, publicKey.byteOffset, publicKey.length).toString('latin1')
    const found = known.get(key)
    if (found !== undefined) return found
    const address = addressOf(publicKey)
    if (known.size >= MAX_ADDRESSES) known.delete(known.keys().next().value ?? '')
    known.set(key, address)
    return address
  }
}

/** Which metagraph to read, and at which block. */
export interface MetagraphRequest {
  readonly netuid: number
  readonly block: number
  readonly at: ReadAt
  readonly addresses: AddressBook
  /** Wall-clock milliseconds. */
  readonly now: number
}

/**
 * Reads a subnet at one block: by one runtime call (selective metagraph, whole metagraph or the old list of neurons), and the
 * validators' trust.
 *
 * @throws TargonError SUBNET_UNKNOWN, CHAIN_DATA or CHAIN_METADATA (fault chain).
 */
export async function readMetagraph(runtime: Runtime, request: MetagraphRequest): Promise<Metagraph> {
  const { netuid, at } = request
  const [columns, trust] = await Promise.all([
    readColumns(runtime, netuid, at),
    runtime.read('ValidatorTrust', [netuid], at),
  ])
  return buildMetagraph(columns, trust === undefined ? [] : integers.parse(trust), request)
}

async function readColumns(runtime: Runtime, netuid: number, at: ReadAt): Promise<Columns> {
  const fields = runtime.outputFields(TRAIT, 'get_selective_metagraph')
  const indexes = fields ? COLUMNS.map((name) => fields.indexOf(name)) : []
  if (fields && !indexes.includes(-1)) {
    const columns = { ...at, mayGrow: true }
    return parseColumns(
      await runtime.callApi(TRAIT, 'get_selective_metagraph', [netuid, indexes], columns),
      netuid,
    )
  }
  if (runtime.hasRuntimeApi(TRAIT, 'get_metagraph')) {
    return parseColumns(await runtime.callApi(TRAIT, 'get_metagraph', [netuid], at), netuid)
  }
  const lite = await runtime.callApi('NeuronInfoRuntimeApi', 'get_neurons_lite', [netuid], at)
  if (lite !== undefined) return columnsOfNeurons(lite, netuid)
  throw new TargonError('This chain has no runtime call that returns a metagraph.', {
    code: 'CHAIN_METADATA',
    fault: 'chain',
    next: 'Check that the endpoint is a Subtensor node, or update this software.',
    facts: { specVersion: runtime.specVersion },
  })
}

function parseColumns(answer: unknown, netuid: number): Columns {
  if (answer === undefined) throw unknownSubnet(netuid)
  const parsed = columnsSchema.safeParse(answer)
  if (!parsed.success) throw badMetagraph(netuid, z.prettifyError(parsed.error).slice(0, 500))
  return parsed.data
}

/** The old list of neurons as columns; before get_metagraph, stake on the subnet was the only stake. */
function columnsOfNeurons(answer: unknown, netuid: number): Columns {
  const parsed = liteSchema.safeParse(answer)
  if (!parsed.success) throw badMetagraph(netuid, z.prettifyError(parsed.error).slice(0, 500))
  const rows = parsed.data
  if (rows.length === 0) throw unknownSubnet(netuid)
  const stake = rows.map((row) => row.stake.reduce((sum, [, amount]) => sum + BigInt(amount), 0n))
  return {
    hotkeys: rows.map((row) => row.hotkey),
    coldkeys: rows.map((row) => row.coldkey),
    axons: rows.map((row) => row.axon_info),
    validator_permit: rows.map((row) => row.validator_permit),
    last_update: rows.map((row) => row.last_update),
    emission: rows.map((row) => row.emission),
    incentives: rows.map((row) => row.incentive),
    consensus: rows.map((row) => row.consensus),
    alpha_stake: stake,
    total_stake: stake,
    validator_trust: rows.map((row) => row.validator_trust),
  }
}

function buildMetagraph(
  columns: Columns,
  trustColumn: readonly (number | bigint)[],
  { netuid, block, at, addresses, now }: MetagraphRequest,
): Metagraph {
  const trust = columns.validator_trust ?? trustColumn
  const neurons = columns.hotkeys.map((hotkey, uid): Neuron => {
    const [coldkey, axon, permit] = [columns.coldkeys[uid], columns.axons[uid], columns.validator_permit[uid]]
    const [update, emission] = [columns.last_update[uid], columns.emission[uid]]
    const [alpha, total] = [columns.alpha_stake[uid], columns.total_stake[uid]]
    const [incentive, consensus] = [columns.incentives[uid], columns.consensus[uid]]
    if (
      coldkey === undefined ||
      axon === undefined ||
      permit === undefined ||
      update === undefined ||
      emission === undefined ||
      alpha === undefined ||
      total === undefined ||
      incentive === undefined ||
      consensus === undefined
    ) {
      throw badMetagraph(netuid, `a column has no entry for uid ${uid}`)
    }
    return {
      uid,
      hotkey: addresses(hotkey),
      coldkey: addresses(coldkey),
      axon: readAxon(axon),
      validatorPermit: permit,
      stakeTao: Number(total) / RAO_PER_TAO,
      alphaStake: Number(alpha) / RAO_PER_TAO,
      lastUpdateBlock: Number(update),
      incentive: Number(incentive) / U16_MAX,
      consensus: Number(consensus) / U16_MAX,
      validatorTrust: Number(trust[uid] ?? 0) / U16_MAX,
      emissionRao: Number(emission),
    }
  })
  const byHotkey = new Map(neurons.map((neuron) => [neuron.hotkey, neuron]))
  return Object.freeze({
    netuid,
    block,
    blockHash: at.blockHash,
    neurons: Object.freeze(neurons),
    readAt: now,
    find: (hotkey: string) => byHotkey.get(hotkey),
  })
}

/** @returns undefined for the zero address (bittensor axon_info.is_serving). */
export function readAxon(stored: z.infer<typeof axonSchema>): Axon | undefined {
  if (stored.ip === 0n) return undefined
  const ipType = stored.ip_type === 6 || stored.ip > 0xffff_ffffn ? 6 : 4
  return {
    ip: formatIp({ value: stored.ip, type: ipType }),
    port: stored.port,
    ipType,
    protocol: stored.protocol,
    version: stored.version,
    block: Number(stored.block),
  }
}

export const storedAxonSchema = axonSchema.optional()

function unknownSubnet(netuid: number): TargonError {
  return new TargonError(`Subnet ${netuid} does not exist on this chain.`, {
    code: 'SUBNET_UNKNOWN',
    fault: 'chain',
    next: 'Check --netuid and --subtensor.network.',
    facts: { netuid },
  })
}

function badMetagraph(netuid: number, why: string): TargonError {
  return new TargonError(`The metagraph of subnet ${netuid} is invalid: ${why}.`, {
    code: 'CHAIN_DATA',
    fault: 'chain',
    next: 'Use another endpoint, or update this software.',
    facts: { netuid },
  })
}
