import type { WeightEntry } from '../weights-types.js'

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
