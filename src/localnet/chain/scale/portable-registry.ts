import type { AnyType } from './type.js'

/** Numbers types in the order they are first asked for: the `id` of scale-info. */
export class PortableRegistry {
  readonly #ids = new Map<string, number>()
  readonly #types: AnyType[] = []

  /** The id of a type; types it refers to are numbered with it. */
  idOf(type: AnyType): number {
    const known = this.#ids.get(type.key)
    if (known !== undefined) return known
    const id = this.#types.length
    this.#ids.set(type.key, id)
    this.#types.push(type)
    for (const inner of referencesOf(type)) this.idOf(inner)
    return id
  }

  get types(): readonly AnyType[] {
    return this.#types
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
