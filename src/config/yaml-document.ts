import { createRequire } from 'node:module'
import type { Document, LineCounter, YAMLError } from 'yaml'
import { messageOf } from '../kernel/index.js'

/** Times that aliases may repeat an anchor; a config file needs a few. */
const MAX_ALIASES = 100

/** Of lists and mappings in each other. */
const MAX_NESTING = 32
const DEEP_INDENTATION = / {257}/

/** Names of settings have three parts at most. */
const MAX_DEPTH = 8

export interface YamlReading {
  /** The document as JSON values; undefined when it could not be read. */
  readonly value: unknown
  /** Line of each key of nested mappings, from 1; parts are joined by dots. */
  readonly lines: ReadonlyMap<string, number>
  readonly fault?: { readonly line: number; readonly reason: string }
}

/**
 * Reads one document of YAML 1.2: `yes` and `on` are texts. Tags, repeated keys and further documents are refused, and a text
 * that its aliases make larger than its writer could mean.
 */
export function parseYaml(text: string): YamlReading {
  const yaml = loadYaml()
  const counter = new yaml.LineCounter()
  const lines = new Map<string, number>()
  if (isTooDeep(yaml, text))
    return { value: undefined, lines, fault: { line: 1, reason: 'it nests deeper than settings do' } }
  try {
    const document = yaml.parseDocument(text, {
      lineCounter: counter,
      prettyErrors: false,
      logLevel: 'error',
      stringKeys: true,
    })
    const problem = document.errors[0] ?? document.warnings[0]
    if (problem) return { value: undefined, lines, fault: describe(problem, counter) }
    noteLines(yaml, document.contents, '', { counter, lines, depth: 0 })
    return { value: document.toJS({ maxAliasCount: MAX_ALIASES }), lines }
  } catch (error) {
    return { value: undefined, lines, fault: { line: 1, reason: messageOf(error) } }
  }
}

/** Checked before the text is composed, which recurses: 100,000 brackets would end the process. */
function isTooDeep(yaml: typeof import('yaml'), text: string): boolean {
  let brackets = 0
  let indicators = 0
  for (const lexeme of new yaml.Lexer().lex(text)) {
    if (lexeme === '[' || lexeme === '{') brackets++
    else if (lexeme === ']' || lexeme === '}') brackets--
    else if (lexeme === '-' || lexeme === '?') indicators++
    else if (/^\r?\n$/.test(lexeme)) indicators = 0
    else if (DEEP_INDENTATION.test(lexeme)) return true
    if (brackets + indicators > MAX_NESTING) return true
  }
  return false
}

/** Loaded for YAML files only: it takes a fifth of the time in which the command line starts. */
function loadYaml(): typeof import('yaml') {
  return createRequire(import.meta.url)('yaml')
}

function describe({ message, pos }: YAMLError, counter: LineCounter): { line: number; reason: string } {
  return { line: counter.linePos(pos[0]).line, reason: message }
}

function noteLines(
  yaml: typeof import('yaml'),
  node: Document['contents'],
  prefix: string,
  notes: { readonly counter: LineCounter; readonly lines: Map<string, number>; readonly depth: number },
): void {
  if (!yaml.isMap(node) || notes.depth >= MAX_DEPTH) return
  for (const { key, value } of node.items) {
    if (!yaml.isScalar(key)) continue
    const name = prefix + String(key.value)
    notes.lines.set(name, notes.counter.linePos(key.range?.[0] ?? 0).line)
    if (yaml.isNode(value)) noteLines(yaml, value, `${name}.`, { ...notes, depth: notes.depth + 1 })
  }
}
