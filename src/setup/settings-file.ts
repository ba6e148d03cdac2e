import { basename, dirname, join } from 'node:path'
import { type Setting, settings, variableOf } from '../config/index.js'
import { TargonError } from '../kernel/index.js'
import type { Answer, Answers, Neuron } from './answers.js'

export const SETTINGS_FORMATS = ['env', 'json', 'yaml'] as const
export type SettingsFormat = (typeof SETTINGS_FORMATS)[number]

export const SETTINGS_FILES: Readonly<Record<SettingsFormat, string>> = {
  env: '.env',
  json: 'targon.config.json',
  yaml: 'targon.config.yaml',
}

/** Config files that may not stand beside this one. */
export function rivalsOf(file: string): readonly string[] {
  const names = ['targon.config.json', 'targon.config.yaml', 'targon.config.yml']
  const [folder, own] = [dirname(file), basename(file)]
  return names.includes(own) ? names.filter((name) => name !== own).map((name) => join(folder, name)) : []
}

/** The answers as a file that the commands read from their working directory. */
export function writeSettings(format: SettingsFormat, role: Neuron, answers: Answers): string {
  if (format === 'json') return `${JSON.stringify(Object.fromEntries(answers), null, 2)}\n`
  const head = [`# Settings of a ${role}, written by targon init. docs/settings.md explains each one.`]
  if (format === 'yaml') {
    // JSON text is YAML, too.
    const entries = [...answers].map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
    return [...head, ...entries, ''].join('\n')
  }
  const lines = [...answers].map(([name, value]) => `${variableOf(name)}=${quoted(textOf(name, value))}`)
  return [...head, ...lines, ''].join('\n')
}

/** How a variable spells a value. */
function textOf(name: string, value: Answer): string {
  if (!Array.isArray(value)) return String(value)
  if (value.some((item) => typeof item === 'object')) return JSON.stringify(value)
  // A comma separates the replicas of one engine.
  return value.join(name === 'engine.endpoints' ? ';' : ',')
}

/**
 * A value as a `.env` file has it: bare where nothing in it means something to the reader.
 *
 * @throws TargonError SETUP_VALUE (usage) for a value that no kind of quotes can hold
 */
function quoted(text: string): string {
  if (/^[\w.:/@,;=+%-]*$/.test(text)) return text
  const quote = ["'", '"', '`'].find((mark) => !text.includes(mark) && (mark !== '"' || !text.includes('\\')))
  if (quote !== undefined && !/[\r\n]/.test(text)) return quote + text + quote
  throw new TargonError('A value contains every kind of quotes, so it cannot stand in .env.', {
    code: 'SETUP_VALUE',
    fault: 'usage',
    next: 'Use --format json.',
  })
}

/** Answers as they may be shown: secrets are masked. */
export function shownAnswers(answers: Answers): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    [...answers].map(([name, value]) => {
      const { secret }: Setting = settings[name]
      const hasKeys = name === 'upstreams'
      return [name, secret || hasKeys ? '********' : value]
    }),
  )
}
