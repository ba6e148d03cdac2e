import { buildCall } from '../../../src/chain/call.js'
import { submitExtrinsic } from '../../../src/chain/inclusion.js'
import { type Link, withLink } from '../../../src/chain/link.js'
import { camelCase, type Runtime } from '../../../src/chain/runtime.js'
import { signingBytes } from '../../../src/chain/signed-extrinsic.js'
import { addressOf, initSr25519, systemClock } from '../../../src/kernel/index.js'
import { startRecordedNode } from '../../support/recorded-node.js'
import { plain, plainEvents } from './plain.js'
import * as ids from './recording.js'

type Recording = ids.NodeRecording
/** An extrinsic is recorded without the hash of its birth block, which only its signature covers. */
type Signed = Omit<Recording['signature_payloads'][number], 'payload_hex'>

/** What the product's chain client reads from a server that has only what was recorded. */
export async function clientAnswers(recording: Recording): Promise<ids.Answers> {
  await initSr25519()
  const node = await startRecordedNode({
    ...ids.metadataOf(recording),
    runtimeVersion: runtimeVersion(recording),
    header: recording.block.raw.block.header,
    storage: storageOf(recording),
    calls: Object.fromEntries(
      recording.runtime_calls.map((call) => [
        `${call.api}_${call.method} 0x${call.encoded_params_hex}`,
        call.raw_hex,
      ]),
    ),
    block: { hash: recording.block.block_hash, raw: recording.block.raw },
  })
  try {
    return await withLink(node.url, { clock: systemClock, rpcTimeoutMs: 20_000 }, (link) =>
      read(link, recording),
    )
  } finally {
    await node.close()
  }
}

async function read(link: Link, recording: Recording): Promise<ids.Answers> {
  const { runtime } = link
  const at = { blockHash: recording.block.block_hash }
  const answers = new Map<string, unknown>()
  for (const item of recording.storage_keys) {
    answers.set(ids.keyId(item), keyOf(runtime, item, item.params))
  }
  for (const item of recording.storage_values) {
    const value = await runtime.read(item.storage_function, item.params, { ...at, pallet: item.pallet })
    answers.set(ids.valueId(item), plain(value))
  }
  for (const map of recording.query_maps) {
    for (const [index, [key]] of map.pairs.entries()) {
      const keys = [...map.params, key]
      const value = await runtime.read(map.storage_function, keys, { ...at, pallet: map.pallet })
      answers.set(ids.pairId(map, index), {
        key: keyOf(runtime, map, keys),
        stored: key,
        value: plain(value),
      })
    }
  }
  for (const [index, call] of recording.calls.entries())
    answers.set(ids.callId(call, index), callOf(runtime, call))
  for (const [index, payload] of recording.signature_payloads.entries()) {
    answers.set(
      ids.payloadId(index),
      hexOf(signingBytes(runtime, signingPayload(runtime, recording, payload))),
    )
  }
  for (const [index, extrinsic] of recording.extrinsics.entries()) {
    answers.set(ids.extrinsicId(index), extrinsicOf(runtime, recording, extrinsic))
  }
  for (const constant of recording.constants) {
    answers.set(ids.constantId(constant), constantOf(runtime, constant))
  }
  for (const { public_key_hex } of recording.ss58) {
    answers.set(ids.addressId(public_key_hex), addressOf(Buffer.from(public_key_hex.slice(2), 'hex')))
  }
  for (const call of recording.runtime_calls) {
    // The recorded node answers only the recorded input.
    const output = await runtime.callApi(call.api, call.method, call.params, at)
    answers.set(ids.apiId(call), { input: `0x${call.encoded_params_hex}`, output: plain(output) })
  }
  const events = await runtime.read('Events', [], { ...at, pallet: 'System' })
  answers.set(ids.EVENTS, plainEvents(events))
  return answers.set(ids.BLOCK, await inclusionOf(link, recording))
}

function keyOf(
  runtime: Runtime,
  { pallet, storage_function }: { pallet: string; storage_function: string },
  keys: readonly unknown[],
) {
  const key = runtime.storageKey(storage_function, keys, pallet)
  if (key === undefined) throw new Error(`no storage item ${pallet}.${storage_function}`)
  return key
}

/** The library spells SS58Prefix in its own way, so the name is compared without case. */
function constantOf(runtime: Runtime, { module, name }: Recording['constants'][number]): unknown {
  const constants = Object.entries(runtime.types.consts[camelCase(module)] ?? {})
  return constants.find(([known]) => known.toLowerCase() === name.toLowerCase())?.[1].toJSON()
}

/** Built from the recorded arguments; a call that wraps others is recorded in words, so it is decoded and encoded again. */
function callOf(runtime: Runtime, call: Recording['calls'][number]) {
  const isWrapper = Object.keys(call.params).some((name) => name === 'call' || name === 'calls')
  const method = isWrapper
    ? runtime.types.registry.createType('Call', call.data_hex)
    : buildCall(runtime, { pallet: call.module, method: call.function, args: call.params })
  return { hex: method.toHex(), name: ids.camelName(method.section, method.method) }
}

function signingPayload(
  runtime: Runtime,
  { network }: Recording,
  { call_data_hex, era, nonce, tip, era_birth_block_hash }: Signed,
) {
  return {
    genesisHash: network.genesis_hash,
    blockHash: era_birth_block_hash ?? network.genesis_hash,
    era: era === '00' ? '0x00' : runtime.types.registry.createType('ExtrinsicEra', era).toHex(),
    nonce,
    tip,
    specVersion: runtime.specVersion,
    transactionVersion: runtime.transactionVersion,
    method: call_data_hex,
  }
}

function extrinsicOf(runtime: Runtime, recording: Recording, recorded: Recording['extrinsics'][number]) {
  const { registry } = runtime.types
  const extrinsic = registry.createType('Extrinsic', {
    method: registry.createType('Call', recorded.call_data_hex),
  })
  const signature = Buffer.concat([Buffer.of(1), Buffer.from(recorded.signature_hex.slice(2), 'hex')])
  extrinsic.addSignature(recorded.address, signature, signingPayload(runtime, recording, recorded))
  return { hex: extrinsic.toHex(), hash: extrinsic.hash.toHex() }
}

/** Sends the extrinsic of the receipt again: the client finds it in the recorded block and reads its outcome. */
async function inclusionOf(link: Link, { block, receipt }: Recording) {
  const hex = block.raw.block.extrinsics[receipt.extrinsic_idx] ?? '0x'
  const hash = link.runtime.types.registry.hash(Buffer.from(hex.slice(2), 'hex')).toHex()
  const submission = await submitExtrinsic(link, { hex, hash, nonce: 0 }, systemClock, 10_000)
  const included = submission.kind === 'included' ? submission : undefined
  return { hash: included?.blockHash, includes: included?.block === Number(block.raw.block.header.number) }
}

function storageOf(recording: Recording): Record<string, string> {
  const eventsKey = recording.storage_keys.find(
    ({ storage_function }) => storage_function === 'Events',
  )?.key_hex
  return {
    ...Object.fromEntries(
      recording.storage_values.flatMap(({ key_hex, raw_hex }) => (raw_hex ? [[key_hex, raw_hex]] : [])),
    ),
    ...Object.fromEntries(recording.query_maps.flatMap(({ raw_changes }) => raw_changes)),
    ...(eventsKey ? { [eventsKey]: recording.events.raw_hex } : {}),
  }
}

function runtimeVersion({ network }: Recording) {
  return {
    specName: 'node-subtensor',
    implName: 'node-subtensor',
    authoringVersion: 1,
    specVersion: network.spec_version,
    implVersion: 1,
    // Core and Metadata, by which clients find the newest metadata.
    apis: [
      ['0xdf6acb689907609b', 5],
      ['0x37e397fc7c91f5e4', 2],
    ],
    transactionVersion: network.transaction_version,
    stateVersion: 1,
  }
}

function hexOf(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes).toString('hex')}`
}
