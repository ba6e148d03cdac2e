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
  /** Sentences about lines that have no effect; they do not repeat the lines, which may contain secrets. */
  readonly warnings: readonly string[]
  originOf(variable: string): Origin
}

const BLANK = /[^\S\n]*(?:#[^\n]*)?(?:\n|$)/y
const NAME = /[^\S\n]*(?:export[^\S\n]+)?([\w.-]+)(?:[^\S\n]*=|:(?=[^\S\n]))/y
const QUOTED = /[^\S\n]*('(?:\\'|[^'])*'|"(?:\\"|[^"])*"|`(?:\\`|[^`])*`)[^\S\n]*(?:#[^\n]*)?(?=\n|$)/y
const UNQUOTED = /[^\n]*/y

/**
 * Reads what docker-compose reads: in a value without quotes `#` starts a comment only after a space, so that `a#b` is a
 * password. Quoted values may have several lines.
 */
export function parseEnvFile({ path, text }: EnvFile): ParsedEnvFile {
  const source = text.replaceAll(/\r\n?/g, '\n')
  const values = new Map<string, string>()
  const lines = new Map<string, number>()
  const warnings: string[] = []
  let position = 0
  const take = (pattern: RegExp) => {
    pattern.lastIndex = position
    const match = pattern.exec(source)
    if (match) position = pattern.lastIndex
    return match
  }
  const warn = (line: number, reason: string) => warnings.push(`Line ${line} of ${path} ${reason}.`)
  while (position < source.length) {
    if (take(BLANK)) continue
    const line = source.slice(0, position).split('\n').length
    const variable = take(NAME)?.[1]
    if (variable === undefined) {
      take(UNQUOTED)
      warn(line, 'is ignored: it is not NAME=value')
      continue
    }
    const quoted = take(QUOTED)?.[1]
    values.set(variable, quoted === undefined ? uncommented(take(UNQUOTED)?.[0] ?? '') : unquoted(quoted))
    lines.set(variable, line)
    if (quoted === undefined && /^['"`]/.test(values.get(variable) ?? ''))
      warn(
        line,
        `starts the value of ${variable} with a quote that it does not close; the quote is part of the value`,
      )
  }
  const originOf = (variable: string): Origin => ({
    ...{ kind: 'env-file', file: path, name: variable },
    line: lines.get(variable) ?? 1,
  })
  return { values, warnings, originOf }
}

/** The value before a comment. `NAME= # comment` has none. */
function uncommented(value: string): string {
  return value.replace(/\s#.*$/, '').trim()
}

/** The library knows the escapes of each kind of quotes. */
function unquoted(value: string): string {
  return parse(`NAME=${value}`).NAME ?? ''
}
