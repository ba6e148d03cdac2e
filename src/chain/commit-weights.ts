import { z } from 'zod'
import { readBeacon } from './beacon.js'
import { type Call, hasCall, subtensorCall } from './call.js'
import { type Link, readHead } from './link.js'
import { type EpochState, revealRound } from './reveal-round.js'
import type { ReadAt, Runtime } from './runtime.js'
import type { ChainSigner } from './types.js'
import type { WeightEntry } from './weights-types.js'

/** Weights encrypted until their reveal. */
export interface WeightsCommit {
  readonly call: Call
  readonly revealRound: number
  /** First block at which the chain reveals them. */
  readonly revealBlock: number
}

/** Commit-reveal versions this client supports: 4 has the hotkey in the payload, 3 does not. */
const PAYLOAD_WITH_HOTKEY = 4
const KNOWN_VERSIONS: readonly number[] = [3, PAYLOAD_WITH_HOTKEY]

export function isKnownCommitVersion(version: number): boolean {
  return KNOWN_VERSIONS.includes(version)
}

const integer = z.union([z.number(), z.bigint()]).transform(Number)

/** Encrypts the weights for the round of their reveal, in the newest commit call the runtime has. */
export async function commitCall(
  link: Link,
  signer: ChainSigner,
  request: { readonly netuid: number; readonly versionKey: number; readonly commitVersion: number },
  entries: readonly WeightEntry[],
  signal?: AbortSignal,
): Promise<WeightsCommit> {
  const { runtime } = link
  const { netuid, versionKey, commitVersion } = request
  const head = await readHead(link, 'best', { signal })
  const at: ReadAt = { blockHash: head.hash, ...(signal ? { signal } : {}) }
  const [beacon, state, now] = await Promise.all([
    readBeacon(runtime, at),
    readEpochState(runtime, netuid, head.number, at),
    runtime.read('Now', [], { ...at, pallet: 'Timestamp' }),
  ])
  const headSeconds = integer.parse(now) / 1000
  const reveal = revealRound(state, headSeconds, runtime.blockTimeMs / 1000, beacon)
  const payload = encodeWeightsPayload(
    entries,
    versionKey,
    commitVersion >= PAYLOAD_WITH_HOTKEY ? signer.publicKey : undefined,
  )
  // loaded here, because the tables of its curve take time and memory that a start does without
  const { encryptForRound } = await import('./timelock.js')
  const commit = encryptForRound(payload, reveal.round, beacon.publicKey)
  const args = {
    netuid,
    mecid: 0,
    commit: `0x${Buffer.from(commit).toString('hex')}`,
    reveal_round: reveal.round,
    commit_reveal_version: commitVersion,
  }
  return {
    call: subtensorCall(commitMethod(runtime), args),
    revealRound: reveal.round,
    revealBlock: reveal.block,
  }
}

function commitMethod(runtime: Runtime): string {
  const methods = ['commit_timelocked_mechanism_weights', 'commit_timelocked_weights', 'commit_crv3_weights']
  return methods.find((method) => hasCall(runtime, method)) ?? 'commit_timelocked_weights'
}

/** The state that determines the reveal epoch; runtimes before spec 423 lack the stateful part. */
async function readEpochState(
  runtime: Runtime,
  netuid: number,
  head: number,
  at: ReadAt,
): Promise<EpochState> {
  const read = async (item: string, missing = 0) =>
    integer.default(missing).parse(await runtime.read(item, [netuid], at))
  const [tempo, revealPeriod, lastEpochBlock, pendingEpochAt, epochIndex, blocksSinceLastStep] =
    await Promise.all([
      read('Tempo'),
      read('RevealPeriodEpochs', 1),
      read('LastEpochBlock'),
      read('PendingEpochAt'),
      read('SubnetEpochIndex'),
      read('BlocksSinceLastStep'),
    ])
  const isStateful = runtime.hasStorage('SubnetEpochIndex') && runtime.hasStorage('LastEpochBlock')
  return {
    netuid,
    head,
    tempo,
    revealPeriod,
    ...(isStateful ? { stateful: { lastEpochBlock, pendingEpochAt, epochIndex, blocksSinceLastStep } } : {}),
  }
}

/**
 * The SCALE payload of a timelock commit. From version 4 it includes the hotkey, which makes a copied commit worthless
 * (subtensor WeightsTlockPayload, LegacyWeightsTlockPayload).
 */
export function encodeWeightsPayload(
  entries: readonly WeightEntry[],
  versionKey: number,
  hotkey: Uint8Array | undefined,
): Uint8Array {
  const key = Buffer.alloc(8)
  key.writeBigUInt64LE(BigInt(versionKey))
  return Buffer.concat([
    ...(hotkey ? [compact(hotkey.length), hotkey] : []),
    u16List(entries.map(({ uid }) => uid)),
    u16List(entries.map(({ weightU16 }) => weightU16)),
    key,
  ])
}

function u16List(values: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(2 * values.length)
  for (const [index, value] of values.entries()) bytes.writeUInt16LE(value, 2 * index)
  return Buffer.concat([compact(values.length), bytes])
}

/** SCALE compact encoding of lengths below 2^30. */
function compact(value: number): Uint8Array {
  if (value < 1 << 6) return Buffer.of(value << 2)
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value < 1 << 14 ? (value << 2) | 1 : value * 4 + 2)
  return value < 1 << 14 ? bytes.subarray(0, 2) : bytes
}
