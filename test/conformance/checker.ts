/** One data file as the runner read it: `json` when it parses, else only `bytes`. */
export interface DataFile {
  /** File name without folder, for messages only: files are known by their content's shape. */
  readonly name: string
  readonly bytes: Uint8Array
  readonly json: unknown
}

/** One case as it stands in the file; a checker parses what it needs. */
// biome-ignore lint/suspicious/noExplicitAny: cases are foreign data of many shapes, each checker knows its own
export type Case = any

export interface Finding {
  readonly agrees: boolean
  /** Name of a rule in `rules` that says why we differ here. Decided from the case's content, never from its id. */
  readonly explainedBy?: string
  /** What differed: shown for differences nobody explains. */
  readonly detail?: string
}

/** One kind of data file. Export it as `checker` from test/conformance/checkers/<name>.ts; the runner finds it. */
export interface Checker {
  /** `vectors` of the envelope, or a short name for data without envelope. */
  readonly vectors: string
  /** Data without envelope: the cases when the file has the shape this checker knows, else undefined. */
  readonly cases?: (file: DataFile) => readonly Case[] | undefined
  /** Rule name → why we differ on purpose (with the place it is decided, e.g. "behaviour: ±8000 ms"). */
  readonly rules: Readonly<Record<string, string>>
  /** `file` is the whole envelope (file-level facts such as `numeric_tolerance`) or the file when there is none. */
  check(testCase: Case, file: Case): Finding | Promise<Finding>
}

/** Relative comparison, 1e-9 unless the file says otherwise; equal infinities and NaN agree. */
export function closeTo(actual: number, expected: number, tolerance = 1e-9): boolean {
  if (Object.is(actual, expected) || actual === expected) return true
  return Math.abs(actual - expected) <= tolerance * Math.max(Math.abs(actual), Math.abs(expected), 1e-300)
}

/** Deep equality of JSON values with numbers compared by `closeTo`; undefined equals null and an absent key. */
export function sameJson(actual: unknown, expected: unknown, tolerance = 1e-9): boolean {
  if (typeof actual === 'number' && typeof expected === 'number') return closeTo(actual, expected, tolerance)
  if (actual === null || actual === undefined || expected === null || expected === undefined) {
    return (actual ?? null) === (expected ?? null)
  }
  if (typeof actual !== 'object' || typeof expected !== 'object') return actual === expected
  if (Array.isArray(actual) !== Array.isArray(expected)) return false
  const left = new Map(Object.entries(actual))
  const right = new Map(Object.entries(expected))
  if (Array.isArray(actual) && left.size !== right.size) return false
  return [...new Set([...left.keys(), ...right.keys()])].every((key) =>
    sameJson(left.get(key), right.get(key), tolerance),
  )
}
