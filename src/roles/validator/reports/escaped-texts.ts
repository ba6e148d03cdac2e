import { escapeControls } from '../../../kernel/index.js'

/** The same document with every text and key escaped: what a miner wrote must not command a terminal or turn a line round. */
export function escapeTexts<T>(document: T): T {
  return escapeValue(document) as T
}

function escapeValue(value: unknown): unknown {
  if (typeof value === 'string') return escapeControls(value)
  if (Array.isArray(value)) return value.map(escapeValue)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [escapeControls(key), escapeValue(one)]),
  )
}
