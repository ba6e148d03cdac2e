import type { AnyType, Infer, PortableRegistry } from '../scale/index.js'
import type { metadataV14, typeDefinition } from './types.js'

type PortableTypes = Infer<typeof metadataV14>['types']
type Definition = Infer<typeof typeDefinition>

/** Every type the registry has numbered, as scale-info describes it. */
export function portableTypes(registry: PortableRegistry): PortableTypes {
  return registry.types.map((type, id) => {
    const { path = [], params = [] } = type.describe()
    return {
      id,
      type: {
        path,
        params: params.map(({ name, type: inner }) => ({
          name,
          type: inner ? registry.idOf(inner) : undefined,
        })),
        definition: definitionOf(registry, type),
        docs: [],
      },
    }
  })
}

function definitionOf(registry: PortableRegistry, type: AnyType): Definition {
  const { definition, path } = type.describe()
  const fieldOf = (field: { readonly name: string | undefined; readonly type: AnyType }) => ({
    name: field.name,
    type: registry.idOf(field.type),
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
      return { type: 'Sequence', value: { type: registry.idOf(definition.item) } }
    case 'array':
      return { type: 'Array', value: { length: definition.length, type: registry.idOf(definition.item) } }
    case 'tuple':
      return { type: 'Tuple', value: definition.items.map((item) => registry.idOf(item)) }
    case 'primitive':
      return { type: 'Primitive', value: { type: definition.name, value: undefined } }
    case 'compact':
      return { type: 'Compact', value: { type: registry.idOf(definition.item) } }
  }
}

/** `Vec<sp_core::crypto::AccountId32>` reads `Vec<AccountId32>`. */
function shortName(type: AnyType): string {
  return type.key.replace(/\w+::/g, '')
}
