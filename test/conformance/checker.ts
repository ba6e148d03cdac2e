/** A data file: `bytes`, and `json` if it parses. */
export interface DataFile {
  /** File name without folder, for messages only; files are recognised by the shape of their content. */
  readonly name: string
  readonly bytes: Uint8Array
  readonly json: unknown
}

/** One case of a file, unparsed; the checker parses what it needs. */
// biome-ignore lint/suspicious/noExplicitAny: cases are foreign data of many shapes; each checker knows its own
export type Case = any

export interface Finding {
  readonly agrees: boolean
  /** Name of the rule in `rules` that explains the difference. Depends on the content of the case, never on its id. */
  readonly explainedBy?: string
  /** What differed; shown for unexplained differences. */
  readonly detail?: string
}

/** Checks one kind of data file. Exported as `checker` from test/conformance/checkers/<name>.ts, where the runner finds it. */
export interface Checker {
  /** The `vectors` field of the envelope, or a short name for data without an envelope. */
  readonly vectors: string
  /** For data without an envelope: the cases if the file has the shape this checker knows, else undefined. */
  readonly cases?: (file: DataFile) => readonly Case[] | undefined
  /** Rule name → why we differ on purpose. */
  readonly rules: Readonly<Record<string, string>>
  /** `file` is the envelope, with file-level facts such as `numeric_tolerance`, or the file itself if there is none. */
  check(testCase: Case, file: Case): Finding | Promise<Finding>
}

/** Relative comparison with a default tolerance of 1e-9; equal infinities and NaN agree. */
export function closeTo(actual: number, expected: number, tolerance = 1e-9): boolean {
  if (Object.is(actual, expected) || actual === expected) return true
  return Math.abs(actual - expected) <= tolerance * Math.max(Math.abs(actual), Math.abs(expected), 1e-300)
}

/** Deep equality of JSON values; numbers are compared by `closeTo`, and undefined equals null and an absent key. */
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
