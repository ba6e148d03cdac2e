import { Metadata, TypeRegistry } from '@polkadot/types'
import type { MetadataLatest, Si1Field, SiLookupTypeId } from '@polkadot/types/interfaces'

/** A runtime's metadata as comparable facts: a name and a text each, with types written out by structure. */
export type Facts = ReadonlyMap<string, string>

/** Enums that differ by design, because the development chain has fewer pallets. */
const OUTER = /Runtime(Call|Event|Error)$/

export function factsOf(bytes: Uint8Array): Facts {
  const registry = new TypeRegistry()
  const metadata = new Metadata(registry, bytes).asLatest
  const facts = new Map<string, string>()
  const shape = shaper(metadata)
  const fieldsOf = (fields: readonly Si1Field[]) =>
    fields.map((field) => `${field.name.unwrapOr('')}:${shape(field.type)}`).join(', ')

  for (const pallet of metadata.pallets) {
    const name = pallet.name.toString()
    facts.set(`pallet ${name}`, pallet.index.toString())
    for (const item of pallet.storage.isSome ? pallet.storage.unwrap().items : []) {
      const type = item.type.isMap
        ? `${item.type.asMap.hashers.map((hasher) => hasher.type).join()} ${shape(item.type.asMap.key)} → ${shape(item.type.asMap.value)}`
        : shape(item.type.asPlain)
      facts.set(`storage ${name}.${item.name}`, `${item.modifier.type} ${type} ${item.fallback.toHex()}`)
    }
    const groups = { call: pallet.calls, event: pallet.events, error: pallet.errors }
    for (const [kind, group] of Object.entries(groups)) {
      if (group.isNone) continue
      for (const entry of metadata.lookup.getSiType(group.unwrap().type).def.asVariant.variants) {
        facts.set(`${kind} ${name}.${entry.name}`, `${entry.index} ${fieldsOf(entry.fields)}`)
      }
    }
    for (const constant of pallet.constants) {
      const isVersion = constant.name.toString() === 'Version'
      const value = isVersion ? '' : constant.value.toHex()
      facts.set(`constant ${name}.${constant.name}`, `${shape(constant.type)} ${value}`)
    }
  }
  for (const api of metadata.apis) {
    for (const method of api.methods) {
      const inputs = method.inputs.map(
        ({ name, type }) => `${name}:${isOpaque(name.toString()) ? '' : shape(type)}`,
      )
      facts.set(`api ${api.name}_${method.name}`, `${inputs.join(', ')} → ${shape(method.output)}`)
    }
  }
  metadata.extrinsic.transactionExtensions.forEach((extension, index) => {
    facts.set(`extension ${index}`, `${extension.identifier} ${shape(extension.type)}`)
  })
  facts.set('address', shape(metadata.extrinsic.addressType))
  facts.set('signature', shape(metadata.extrinsic.signatureType))
  return facts
}

/** An extrinsic argument contains the outer call enum. */
function isOpaque(parameter: string): boolean {
  return parameter === 'uxt' || parameter === 'tx'
}

function shaper(metadata: MetadataLatest): (id: SiLookupTypeId) => string {
  const shapeOf = (id: SiLookupTypeId, seen: readonly string[]): string => {
    const key = id.toString()
    if (seen.includes(key)) return 'recursive'
    const type = metadata.lookup.getSiType(id)
    if (OUTER.test(type.path.map(String).join('::'))) return 'outer'
    const inner = (next: SiLookupTypeId) => shapeOf(next, [...seen, key])
    const fields = (list: readonly Si1Field[]) =>
      list.map((field) => `${field.name.unwrapOr('')}:${inner(field.type)}`).join(',')
    const { def } = type
    if (def.isPrimitive) return def.asPrimitive.type
    if (def.isCompact) return `Compact<${inner(def.asCompact.type)}>`
    if (def.isSequence) return `Vec<${inner(def.asSequence.type)}>`
    if (def.isArray) return `[${inner(def.asArray.type)};${def.asArray.len}]`
    if (def.isTuple) return `(${def.asTuple.map(inner).join(',')})`
    if (def.isComposite) {
      // A newtype has the bytes of what it wraps, and runtimes differ in which they describe (NetUid is one since 461).
      const [only, ...others] = def.asComposite.fields
      if (only?.name.isNone && others.length === 0) return inner(only.type)
      return `{${fields(def.asComposite.fields)}}`
    }
    const variants = def.asVariant.variants.map(
      ({ index, name, fields: list }) => `${index}=${name}(${fields(list)})`,
    )
    return `<${variants.join('|')}>`
  }
  return (id) => shapeOf(id, [])
}
