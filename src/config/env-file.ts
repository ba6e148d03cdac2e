import { parse } from 'dotenv'
import type { Origin } from './origin.js'

/** A `.env` file as read from disk. */
export interface EnvFile {
  readonly path: string
  readonly text: string
  /** Users other than its owner may read it. */
  readonly isExposed?: boolean
}

/** Values of a `.env` file by variable, with the line of the last assignment of each. */
export interface ParsedEnvFile {
  readonly values: ReadonlyMap<string, string>
  originOf(variable: string): Origin
}

export function parseEnvFile({ path, text }: EnvFile): ParsedEnvFile {
  const values = new Map(Object.entries(parse(text)))
  const lines = new Map<string, number>()
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const variable = /^\s*(?:export\s+)?([\w.-]+)\s*[=:]/.exec(line)?.[1]
    if (variable && values.has(variable)) lines.set(variable, index + 1)
  }
  return {
    values,
    originOf: (variable) => ({
      kind: 'env-file',
      file: path,
      line: lines.get(variable) ?? 1,
      name: variable,
    }),
  }
}
