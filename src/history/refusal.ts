import { messageOf, TargonError } from '../kernel/index.js'

/** SQLSTATE classes data exception and integrity constraint violation. */
const OF_THE_DATA = /^2[23]/

/** Whether the database took no offence at anything but the rows: the same ones would be refused again. */
export function isRefusal(error: unknown): boolean {
  const { cause } = error instanceof Error ? error : {}
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' && OF_THE_DATA.test(code)
}

/** What the database said. The message of a failed query around it holds the query and every value of its rows. */
export function reasonOf(error: unknown): string {
  if (error instanceof TargonError || !(error instanceof Error)) return messageOf(error)
  return messageOf(error.cause ?? error)
}
