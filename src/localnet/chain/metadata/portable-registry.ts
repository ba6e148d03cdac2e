import type { AnyType, Infer } from '../scale/index.js'
import type { metadataV14, typeDefinition } from './types.js'

type PortableTypes = Infer<typeof metadataV14>['types']
type Definition = Infer<typeof typeDefinition>

/** scale-info's portable registry: numbers types in the order they are first requested. */
export class PortableRegistry {
  readonly #ids = new Map<string, number>()
  readonly #types: AnyType[] = []

  /** The id of a type. A new type is registered together with the types it refers to. */
  idOf(type: AnyType): number {
    const known = this.#ids.get(type.key)
    if (known !== undefined) return known
    const id = this.#types.length
    this.#ids.set(type.key, id)
    this.#types.push(type)
    for (const inner of referencesOf(type)) this.idOf(inner)
    return id
  }

  /** Every registered type, as scale-info describes it. */
  portableTypes(): PortableTypes {
    return this.#types.map((type, id) => {
      const { path = [], params = [] } = type.describe()
      return {
        id,
        type: {
          path,
          params: params.map(({ name, type: inner }) => ({
            name,
            type: inner ? this.idOf(inner) : undefined,
          })),
          definition: this.#definitionOf(type),
          docs: [],
        },
      }
    })
  }

  #definitionOf(type: AnyType): Definition {
    const { definition, path } = type.describe()
    const fieldOf = (field: { readonly name: string | undefined; readonly type: AnyType }) => ({
      name: field.name,
      type: this.idOf(field.type),
      typeName: path?.[0] === 'Option' ? undefined : shortName(field.type),
      docs: [],
    })
    switch (definition.kind) {
      case 'composite':
        return { type: 'Composite', value: { fields: definition.fields.map(fieldOf) } }
      case 'variant': {
        const variants = definition.variants.map(({ name, index, fields }) => ({
          name,
          index,
          fields: fields.map(fieldOf),
          docs: [],
        }))
        return { type: 'Variant', value: { variants } }
      }
      case 'sequence':
        return { type: 'Sequence', value: { type: this.idOf(definition.item) } }
      case 'array':
        return { type: 'Array', value: { length: definition.length, type: this.idOf(definition.item) } }
      case 'tuple':
        return { type: 'Tuple', value: definition.items.map((item) => this.idOf(item)) }
      case 'primitive':
        return { type: 'Primitive', value: { type: definition.name, value: undefined } }
      case 'compact':
        return { type: 'Compact', value: { type: this.idOf(definition.item) } }
    }
  }
}

function referencesOf(type: AnyType): AnyType[] {
  const { params = [], definition } = type.describe()
  const inner = params.flatMap((param) => (param.type ? [param.type] : []))
  switch (definition.kind) {
    case 'composite':
      return [...inner, ...definition.fields.map((field) => field.type)]
    case 'variant':
      return [...inner, ...definition.variants.flatMap((entry) => entry.fields.map((field) => field.type))]
    case 'tuple':
      return [...inner, ...definition.items]
    case 'primitive':
      return inner
    default:
      return [...inner, definition.item]
  }
}

/** `Vec<sp_core::crypto::AccountId32>` becomes `Vec<AccountId32>`. */
function shortName(type: AnyType): string {
  return type.key.replace(/\w+::/g, '')
}
