/**
 * Differences between two states of a document, small enough to send every second. Server and browser share this file, so
 * it imports nothing.
 */

type Json = unknown
/** An object as it travels: its fields are JSON values. */
export type Fields = Readonly<Record<string, Json>>

/** The documents of a page by name, such as `status`. */
export type LiveDocument = Readonly<Record<string, Fields>>

/** By document and field: which field tells the rows of an array apart. Other fields are sent whole when they change. */
export type RowKeys = Readonly<Record<string, Readonly<Record<string, string>>>>

export interface RowsChange {
  /** Field that tells the rows apart. */
  readonly key: string
  /** New rows, and rows that differ. */
  readonly put: readonly Fields[]
  /** Keys of rows that are gone. */
  readonly drop: readonly Json[]
}

export interface PartChange {
  readonly set?: Fields
  readonly unset?: readonly string[]
  readonly rows?: Readonly<Record<string, RowsChange>>
}

/** By document. Documents without a difference are absent. */
export type LiveChange = Readonly<Record<string, PartChange>>

interface KnownPart {
  /** Fields as JSON text. */
  readonly fields: Map<string, string>
  /** By field and key: rows as JSON text. */
  readonly rows: Map<string, Map<Json, string>>
}

/** Remembers a document and tells what is new in the next one. */
export class ChangeTracker {
  readonly #keys: RowKeys
  readonly #known = new Map<string, KnownPart>()

  constructor(keys: RowKeys) {
    this.#keys = keys
  }

  /** @returns undefined when nothing differs from the document of the last call. */
  update(document: LiveDocument): LiveChange | undefined {
    const changes: Record<string, PartChange> = {}
    for (const [name, part] of Object.entries(document)) {
      const known = this.#known.get(name) ?? { fields: new Map(), rows: new Map() }
      this.#known.set(name, known)
      const change = partChange(known, part, this.#keys[name] ?? {})
      if (change) changes[name] = change
    }
    return Object.keys(changes).length === 0 ? undefined : changes
  }
}

function partChange(known: KnownPart, part: Fields, keys: Readonly<Record<string, string>>) {
  const set: Record<string, Json> = {}
  const rows: Record<string, RowsChange> = {}
  for (const [field, value] of Object.entries(part)) {
    const key = keys[field]
    if (key !== undefined && Array.isArray(value)) {
      const change = rowsChange(known, field, key, value)
      if (change) rows[field] = change
      continue
    }
    const text = JSON.stringify(value)
    if (known.fields.get(field) === text) continue
    known.fields.set(field, text)
    if (value !== undefined) set[field] = value
  }
  const unset = [...known.fields.keys()].filter((field) => part[field] === undefined)
  for (const field of unset) known.fields.delete(field)
  const change: PartChange = {
    ...(Object.keys(set).length > 0 && { set }),
    ...(unset.length > 0 && { unset }),
    ...(Object.keys(rows).length > 0 && { rows }),
  }
  return Object.keys(change).length === 0 ? undefined : change
}

function rowsChange(known: KnownPart, field: string, key: string, list: readonly Fields[]) {
  const before = known.rows.get(field) ?? new Map<Json, string>()
  const after = new Map<Json, string>()
  const put = list.filter((row) => {
    const text = JSON.stringify(row)
    after.set(row[key], text)
    return before.get(row[key]) !== text
  })
  known.rows.set(field, after)
  const drop = [...before.keys()].filter((one) => !after.has(one))
  return put.length === 0 && drop.length === 0 ? undefined : { key, put, drop }
}

/** The document after the change. New rows stand at the end; what did not change is the same object as before. */
export function applyChange(document: LiveDocument, change: LiveChange): LiveDocument {
  const changed = Object.entries(change).map(([name, part]) => [name, applyPart(document[name] ?? {}, part)])
  return { ...document, ...Object.fromEntries(changed) }
}

function applyPart(part: Fields, { set = {}, unset = [], rows = {} }: PartChange): Fields {
  const next: Record<string, Json> = { ...part, ...set }
  for (const field of unset) delete next[field]
  for (const [field, { key, put, drop }] of Object.entries(rows)) {
    const before = Array.isArray(part[field]) ? (part[field] as readonly Fields[]) : []
    const byKey = new Map(before.map((row) => [row[key], row]))
    for (const gone of drop) byKey.delete(gone)
    for (const row of put) byKey.set(row[key], row)
    next[field] = [...byKey.values()]
  }
  return next
}
