import { escapeControls } from '../kernel/index.js'

/** One JSON record: such characters can only stand inside strings there, where `\uXXXX` means the same. */
export function escapeRecord(json: string): string {
  const body = json.endsWith('\n') ? json.slice(0, -1) : json
  return `${escapeControls(body)}\n`
}

/**
 * A record whose strings stay escaped after JSON.parse, so that a pretty printer prints `\n` as two characters
 * and one record stays one line.
 */
export function escapeTwice(json: string): string {
  return escapeRecord(json).replace(/\\(\\|"|\/|u[0-9a-fA-F]{4}|[bfnrt])/g, (sequence, kind: string) =>
    kind === '\\' || kind === '"' || kind === '/' ? sequence : `\\${sequence}`,
  )
}
