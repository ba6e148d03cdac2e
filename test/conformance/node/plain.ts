import { addressOf } from '../../../src/kernel/index.js'

const PUBLIC_KEY_BYTES = 32

/**
 * A decoded value as the recording spells it: keys as addresses, other bytes as hex, big integers as numbers, and a variant
 * by its name when it has no fields. Both decoders are understood: enums are `{kind, value}` in one, `{type, value}` in the
 * other.
 */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    return value.length === PUBLIC_KEY_BYTES ? addressOf(value) : `0x${Buffer.from(value).toString('hex')}`
  }
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const variant = variantOf(value)
  if (!variant) return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]))
  if (variant.value === undefined || isEmpty(variant.value)) return variant.name
  return variant.name === 'Id' ? plain(variant.value) : { [variant.name]: plain(variant.value) }
}

interface Variant {
  readonly name: string
  readonly value: unknown
}

/** The name and fields of an enum's value; undefined for anything else. */
export function variantOf(value: unknown): Variant | undefined {
  if (typeof value !== 'object' || value === null || !('value' in value)) return undefined
  const name = 'kind' in value ? value.kind : 'type' in value ? value.type : undefined
  return typeof name === 'string' && Object.keys(value).length === 2
    ? { name, value: value.value }
    : undefined
}

/** One decoder gives a variant without fields an empty list. */
function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}

/** The events of a block as the recording lists them. */
export function plainEvents(records: unknown): unknown {
  if (!Array.isArray(records)) throw new Error('events are not a list')
  return records.map(({ phase, event }) => {
    const [when, pallet] = [variantOf(phase), variantOf(event)]
    const inner = variantOf(pallet?.value)
    return {
      phase: when?.name,
      extrinsic_idx: when?.name === 'ApplyExtrinsic' ? when.value : null,
      module_id: pallet?.name,
      event_id: inner?.name,
      attributes: plain(inner?.value),
    }
  })
}
