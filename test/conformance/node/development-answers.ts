import { Keyring } from '@polkadot/keyring'
import { addressOf, initSr25519, publicKeyOf } from '../../../src/kernel/index.js'
import { decodeExtrinsic } from '../../../src/localnet/chain/node/extrinsic.js'
import { validateExtrinsic } from '../../../src/localnet/chain/node/validity.js'
import {
  createRuntime,
  dialectOf,
  digestItem,
  header,
  type Runtime,
  subtensor,
  system,
  timestamp,
} from '../../../src/localnet/chain/runtime/index.js'
import {
  type AnyType,
  concatBytes,
  decode,
  encode,
  fromHex,
  toHex,
  Writer,
} from '../../../src/localnet/chain/scale/index.js'
import { blake2b256, State, StorageWriter } from '../../../src/localnet/chain/storage/index.js'
import type { StorageItem } from '../../../src/localnet/chain/storage/item.js'
import { sameJson } from '../checker.js'
import { plain, plainEvents } from './plain.js'
import * as ids from './recording.js'

type Recording = ids.NodeRecording
type Items = Readonly<Record<string, StorageItem<readonly unknown[], unknown> | undefined>>

const BLOCK_HASH_COUNT = 2400

/** What the development chain's own codec makes of the recording; without what the chain does not have. */
export async function developmentAnswers(recording: Recording): Promise<ids.Answers> {
  await initSr25519()
  const runtime = createRuntime(dialectOf(recording.network.spec_version), {
    blockTimeMs: 250,
    blockHashCount: BLOCK_HASH_COUNT,
  })
  const answers = new Map<string, unknown>()
  // What the chain does not have stays out; a value it misreads is told as that, so that the others are still compared.
  const tell: Tell = (id, read) => {
    const told = attempt(read)
    if (told !== undefined) answers.set(id, told)
  }
  tellStorage(tell, runtime, recording)
  recording.calls.forEach((call, index) => {
    tell(ids.callId(call, index), () => callOf(runtime, call))
  })
  recording.signature_payloads.forEach((payload, index) => {
    tell(ids.payloadId(index), () => acceptedPayload(runtime, recording, payload))
  })
  recording.extrinsics.forEach((extrinsic, index) => {
    tell(ids.extrinsicId(index), () => extrinsicOf(runtime, extrinsic))
  })
  for (const constant of recording.constants) {
    const pallet = runtime.definition.pallets.find(({ name }) => name === constant.module)
    const found = pallet?.constants.find(({ name }) => name === constant.name)
    tell(ids.constantId(constant), () => found && plain(found.value))
  }
  for (const { public_key_hex } of recording.ss58) {
    tell(ids.addressId(public_key_hex), () => addressOf(fromHex(public_key_hex)))
  }
  for (const call of recording.runtime_calls) tell(ids.apiId(call), () => apiAnswer(runtime, call))
  const events = () => plainEvents(exactly(runtime.events.value, recording.events.raw_hex))
  tell(ids.EVENTS, events)
  tell(ids.BLOCK, () => blockAnswer(recording, events()))
  return answers
}

type Tell = (id: string, read: () => unknown) => void

function attempt(read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    return `failed: ${error instanceof Error ? error.message : String(error)}`
  }
}

function tellStorage(tell: Tell, runtime: Runtime, recording: Recording): void {
  const pallets = {
    System: { ...system, Events: runtime.events },
    Timestamp: timestamp,
    SubtensorModule: subtensor,
  } as unknown as Readonly<Record<string, Items | undefined>>
  const find = (item: { pallet: string; storage_function: string }) =>
    pallets[item.pallet]?.[item.storage_function]
  const keyOf = (item: StorageItem<readonly unknown[], unknown>, params: readonly unknown[]) =>
    item.keyOf(...params.map(argument))
  for (const key of recording.storage_keys) {
    const item = find(key)
    tell(ids.keyId(key), () => item && keyOf(item, key.params))
  }
  for (const value of recording.storage_values) {
    const item = find(value)
    const read = () => {
      if (!item) return undefined
      return plain(value.raw_hex === null ? item.fallback : exactly(item.value, value.raw_hex))
    }
    tell(ids.valueId(value), read)
  }
  for (const map of recording.query_maps) {
    const item = find(map)
    map.pairs.forEach(([stored], index) => {
      const raw = map.raw_changes[index]?.[1] ?? '0x'
      const read = () =>
        item && {
          key: keyOf(item, [...map.params, stored]),
          stored,
          value: plain(exactly(item.value, raw)),
        }
      tell(ids.pairId(map, index), read)
    })
  }
}

/** The value of these bytes, which must also be its only encoding. */
function exactly(type: AnyType, hex: string): unknown {
  const value = decode(type, fromHex(hex))
  if (toHex(encode(type, value)) !== hex) throw new Error(`${hex} is encoded differently`)
  return value
}

function argument(value: unknown): unknown {
  return typeof value === 'string' ? (publicKeyOf(value) ?? fromHex(value)) : value
}

/** Undefined for the pallets that the development chain does not have. */
function callOf(runtime: Runtime, call: Recording['calls'][number]) {
  if (!runtime.definition.pallets.some(({ name, calls }) => name === call.module && calls)) return undefined
  const decoded = exactly(runtime.call, call.data_hex) as Extract<
    ReturnType<Runtime['call']['decode']>,
    object
  >
  const { type, value } = decoded
  return {
    hex: sameJson(plain(value.value), call.params)
      ? call.data_hex
      : `read as ${JSON.stringify(plain(value.value))}`,
    name: ids.camelName(type, value.type),
  }
}

function extrinsicOf(runtime: Runtime, recorded: Recording['extrinsics'][number]) {
  const bytes = fromHex(recorded.extrinsic_hex)
  const { address, signature, extra, callBytes } = decodeExtrinsic(runtime, bytes)
  const read = [plain(address), plain(signature), extra.nonce, Number(extra.tip), toHex(callBytes)]
  const { signature_hex, call_data_hex } = recorded
  const expected = [recorded.address, { Sr25519: signature_hex }, recorded.nonce, recorded.tip, call_data_hex]
  return {
    hex: sameJson(read, expected) ? recorded.extrinsic_hex : `read as ${JSON.stringify(read)}`,
    hash: toHex(blake2b256(bytes)),
  }
}

/** The recorded payload, if the chain accepts a signature over it for the same call, era, nonce and state. */
function acceptedPayload(
  runtime: Runtime,
  recording: Recording,
  payload: Recording['signature_payloads'][number],
): string {
  const pair = new Keyring({ type: 'sr25519' }).addFromSeed(new Uint8Array(32).fill(7))
  const storage = new StorageWriter(new State(1))
  const funded = storage.get(system.Account, pair.publicKey)
  storage.set(
    system.Account,
    { ...funded, providers: 1, data: { ...funded.data, free: 10n ** 12n } },
    pair.publicKey,
  )
  const currentBlock = payload.era === '00' ? 1 : payload.era.current
  const birth = payload.era_birth_block_hash ?? recording.network.genesis_hash
  const extrinsic = decodeExtrinsic(runtime, signedWith(pair, payload))
  const context = {
    storage,
    currentBlock,
    specVersion: recording.network.spec_version,
    transactionVersion: recording.network.transaction_version,
    blockHashCount: BLOCK_HASH_COUNT,
    genesisHash: fromHex(recording.network.genesis_hash),
    hashOf: () => fromHex(birth),
    validateCall: () => {},
  }
  validateExtrinsic(context, extrinsic)
  return payload.payload_hex
}

/** The extrinsic that a client would send after signing the recorded payload, which starts with call and extensions. */
function signedWith(
  pair: { readonly publicKey: Uint8Array; sign(message: Uint8Array): Uint8Array },
  { call_data_hex, payload_hex, era }: Recording['signature_payloads'][number],
): Uint8Array {
  const payload = fromHex(payload_hex)
  const call = fromHex(call_data_hex)
  // Era, nonce, tip and the mode of the metadata hash; nonce and tip are small here.
  const extra = payload.subarray(call.length, call.length + (era === '00' ? 4 : 5))
  const signature = pair.sign(payload)
  const body = concatBytes(Uint8Array.of(0x84, 0), pair.publicKey, Uint8Array.of(1), signature, extra, call)
  const writer = new Writer()
  writer.compact(body.length)
  writer.bytes(body)
  return writer.finish()
}

/** Undefined for a runtime API that the development chain does not have. */
function apiAnswer(runtime: Runtime, call: Recording['runtime_calls'][number]) {
  const api = runtime.definition.apis.find(({ name }) => name === call.api)
  const method = api?.methods.find(({ name }) => name === call.method)
  if (!method) return undefined
  const inputs = Object.values(method.inputs).map((type, index) => encode(type, argument(call.params[index])))
  return { input: toHex(concatBytes(...inputs)), output: plain(exactly(method.output, call.raw_hex)) }
}

function blockAnswer({ block, receipt }: Recording, events: unknown) {
  const { parentHash, number, stateRoot, extrinsicsRoot, digest } = block.raw.block.header
  const sealed = {
    parent_hash: fromHex(parentHash),
    number: Number(number),
    state_root: fromHex(stateRoot),
    extrinsics_root: fromHex(extrinsicsRoot),
    digest: { logs: digest.logs.map((log) => decode(digestItem, fromHex(log))) },
  }
  const outcome = (events as { extrinsic_idx: number | null; event_id: string }[]).filter(
    ({ extrinsic_idx }) => extrinsic_idx === receipt.extrinsic_idx,
  )
  return {
    hash: toHex(blake2b256(encode(header, sealed))),
    includes: outcome.some(({ event_id }) => event_id === 'ExtrinsicSuccess'),
  }
}
