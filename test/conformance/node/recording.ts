import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { camelCase } from '../../../src/chain/runtime.js'
import { readMetadataFile } from '../../support/recorded-node.js'

const hex = z.string().regex(/^0x([0-9a-f]{2})*$/)
const name = z.object({ pallet: z.string(), storage_function: z.string() })
const era = z.union([z.literal('00'), z.object({ period: z.number(), current: z.number() })])
const signed = z.object({ call_data_hex: hex, era, nonce: z.number(), tip: z.number() })

/** What the tests of the Python SDK recorded of a node. */
export const recordingSchema = z.object({
  network: z.object({ genesis_hash: hex, spec_version: z.number(), transaction_version: z.number() }),
  storage_keys: z.array(name.extend({ params: z.array(z.unknown()), key_hex: hex })),
  storage_values: z.array(
    name.extend({
      params: z.array(z.unknown()),
      key_hex: hex,
      raw_hex: hex.nullable(),
      decoded: z.unknown(),
    }),
  ),
  query_maps: z.array(
    name.extend({
      params: z.array(z.unknown()),
      raw_changes: z.array(z.tuple([hex, hex])),
      pairs: z.array(z.tuple([z.unknown(), z.unknown()])),
    }),
  ),
  calls: z.array(
    z.object({
      module: z.string(),
      function: z.string(),
      params: z.record(z.string(), z.unknown()),
      data_hex: hex,
    }),
  ),
  signature_payloads: z.array(signed.extend({ era_birth_block_hash: hex.optional(), payload_hex: hex })),
  extrinsics: z.array(
    signed.extend({ address: z.string(), signature_hex: hex, extrinsic_hex: hex, extrinsic_hash: hex }),
  ),
  constants: z.array(z.object({ module: z.string(), name: z.string(), decoded: z.unknown() })),
  ss58: z.array(z.object({ public_key_hex: hex, address: z.string() })),
  receipt: z.object({ block_hash: hex, extrinsic_idx: z.number(), is_success: z.boolean() }),
  events: z.object({
    raw_hex: hex,
    decoded: z.array(
      z.object({
        phase: z.string(),
        extrinsic_idx: z.number().nullable(),
        module_id: z.string(),
        event_id: z.string(),
        attributes: z.unknown(),
      }),
    ),
  }),
  runtime_calls: z.array(
    z.object({
      api: z.string(),
      method: z.string(),
      params: z.array(z.unknown()),
      encoded_params_hex: z.string(),
      raw_hex: hex,
      decoded: z.unknown(),
    }),
  ),
  block: z.object({
    block_hash: hex,
    raw: z.object({
      block: z.object({
        header: z.object({
          parentHash: hex,
          number: hex.or(z.string()),
          stateRoot: hex,
          extrinsicsRoot: hex,
          digest: z.object({ logs: z.array(hex) }),
        }),
        extrinsics: z.array(hex),
      }),
    }),
  }),
})
export type NodeRecording = z.infer<typeof recordingSchema>

/** What a node, or one of our two readings of it, says about each recorded thing. */
export type Answers = ReadonlyMap<string, unknown>

/** What the node said. */
export function recordedAnswers(recording: NodeRecording): Answers {
  const { events, block, receipt } = recording
  return new Map<string, unknown>([
    ...recording.storage_keys.map((key) => [keyId(key), key.key_hex] as const),
    ...recording.storage_values.map((value) => [valueId(value), value.decoded] as const),
    ...recording.query_maps.flatMap((map) =>
      map.pairs.map(
        ([key, decoded], index) =>
          [pairId(map, index), { key: map.raw_changes[index]?.[0], stored: key, value: decoded }] as const,
      ),
    ),
    ...recording.calls.map(
      (call, index) =>
        [
          callId(call, index),
          {
            hex: call.data_hex,
            name: camelName(call.module, call.function),
          },
        ] as const,
    ),
    ...recording.signature_payloads.map(({ payload_hex }, index) => [payloadId(index), payload_hex] as const),
    ...recording.extrinsics.map(
      ({ extrinsic_hex, extrinsic_hash }, index) =>
        [extrinsicId(index), { hex: extrinsic_hex, hash: extrinsic_hash }] as const,
    ),
    ...recording.constants.map((constant) => [constantId(constant), constant.decoded] as const),
    ...recording.ss58.map(({ public_key_hex, address }) => [addressId(public_key_hex), address] as const),
    ...recording.runtime_calls.map(
      (call) => [apiId(call), { input: `0x${call.encoded_params_hex}`, output: call.decoded }] as const,
    ),
    [EVENTS, events.decoded],
    [BLOCK, { hash: block.block_hash, includes: receipt.is_success }],
  ])
}

export const EVENTS = 'events of the block'
export const BLOCK = 'block and its extrinsic'
type Item = z.infer<typeof name> & { readonly params: readonly unknown[] }
const itemOf = ({ pallet, storage_function, params }: Item) =>
  `${pallet}.${storage_function}(${params.join(', ')})`
export const keyId = (item: Item) => `storage key ${itemOf(item)}`
export const valueId = (item: Item) => `storage value ${itemOf(item)}`
export const pairId = (item: Item, index: number) => `entry ${index} of ${itemOf(item)}`
export const callId = (call: { readonly module: string; readonly function: string }, index: number) =>
  `call ${index} ${call.module}.${call.function}`
export const payloadId = (index: number) => `signature payload ${index}`
export const extrinsicId = (index: number) => `extrinsic ${index}`
export const constantId = (constant: { readonly module: string; readonly name: string }) =>
  `constant ${constant.module}.${constant.name}`
export const addressId = (publicKey: string) => `address of ${publicKey}`
export const apiId = (call: { readonly api: string; readonly method: string }) =>
  `runtime API ${call.api}_${call.method}`

/** A name as the chain client spells it, whatever the source. */
export function camelName(pallet: string, method: string): string {
  return `${camelCase(pallet)}.${camelCase(method)}`
}

/** The metadata of the recorded node, which is a file of its own. */
export function metadataOf({ network }: NodeRecording) {
  const folder = join(process.env.TARGON_CONFORMANCE_DIR ?? '', 'chain')
  const file = readdirSync(folder).find((candidate) => candidate === `localnet-${network.spec_version}.scale`)
  const found = file === undefined ? undefined : readMetadataFile(readFileSync(join(folder, file)))
  if (!found) throw new Error(`the metadata of spec ${network.spec_version} is missing`)
  return { metadata: found.metadata, metadataVersion: found.version }
}
