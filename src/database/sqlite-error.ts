/** An error of SQLite with its primary result code (https://www.sqlite.org/rescode.html); 0 when it has none. */
export class SqliteError extends Error {
  constructor(
    message: string,
    readonly resultCode: number,
  ) {
    super(message)
  }
}

/** Result codes TOOBIG, CONSTRAINT and MISMATCH. */
const ROW_ERRORS: ReadonlySet<number> = new Set([18, 19, 20])
/** Result codes BUSY and LOCKED. */
const CONTENTIONS: ReadonlySet<number> = new Set([5, 6])
/** Result codes CORRUPT and NOTADB. */
const DAMAGES: ReadonlySet<number> = new Set([11, 26])

/** Whether SQLite rejected the rows themselves. */
export function isRowError(error: unknown): boolean {
  return error instanceof SqliteError && ROW_ERRORS.has(error.resultCode)
}

/** Whether another connection held a lock for longer than a statement waits. */
export function isContention(error: unknown): boolean {
  return error instanceof SqliteError && CONTENTIONS.has(error.resultCode)
}

/** Whether the file is damaged or is no database, also when another error wraps that of SQLite. */
export function isDamage(error: unknown): boolean {
  const { cause } = error instanceof Error ? error : {}
  return [error, cause].some((one) => one instanceof SqliteError && DAMAGES.has(one.resultCode))
}

const ADVICE: ReadonlyMap<number, string> = new Map([
  [5, 'End the program that has the database file locked.'],
  [8, 'Give the database file and its folder to the user that runs this process, and make them writable.'],
  [10, 'Check the disk of the state folder.'],
  [13, 'Free space on the disk of the state folder; until then rows wait in memory.'],
])

/** What an operator can do about an error of SQLite; undefined for other errors. */
export function adviceOn(error: unknown): string | undefined {
  return error instanceof SqliteError ? ADVICE.get(error.resultCode) : undefined
}
