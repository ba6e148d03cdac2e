import { z } from 'zod'
import { type Setting, type SettingName, settings } from '../../src/config/index.js'

const ID = 'https://raw.githubusercontent.com/manifold-inc/targon/main/docs/targon.config.schema.json'

type Schema = { readonly [key: string]: unknown }

/** A section of nested keys, with the settings and sections in it. */
interface Section {
  readonly settings: Map<string, Schema>
  readonly sections: Map<string, Section>
}

/** docs/targon.config.schema.json: what an editor checks and completes in a config file (JSON Schema, draft 2020-12). */
export function renderConfigSchema(): string {
  const root: Section = { settings: new Map(), sections: new Map() }
  const names = (Object.keys(settings) as SettingName[]).filter(isShown)
  for (const name of names) {
    root.settings.set(name, describe(name))
    const parts = name.split('.')
    const last = parts.pop() ?? ''
    if (parts.length > 0) sectionAt(root, parts).settings.set(last, { $ref: `#/properties/${name}` })
  }
  const document = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: ID,
    title: 'Config file of targon',
    description:
      'Keys are flag names, flat ("axon.port") or nested ("axon": {"port"}). One file may serve a miner, a validator and a query.',
    ...objectOf(root, { $schema: { type: 'string', description: 'The schema of this file, for editors.' } }),
  }
  return `${JSON.stringify(document, null, 2)}\n`
}

/** Hidden settings are for programs; those without effect are accepted from files of the Python node. */
function isShown(name: SettingName): boolean {
  const { hidden, ineffective }: Setting = settings[name]
  return !hidden || ineffective === true
}

function sectionAt(root: Section, parts: readonly string[]): Section {
  return parts.reduce((section, part) => {
    const known = section.sections.get(part) ?? { settings: new Map(), sections: new Map() }
    section.sections.set(part, known)
    return known
  }, root)
}

function objectOf(section: Section, extra: Schema = {}): Schema {
  const sections = [...section.sections].map(([name, inner]) => {
    const own = section.settings.get(name)
    return [name, own ? { anyOf: [own, objectOf(inner)] } : objectOf(inner)] as const
  })
  return {
    type: 'object',
    properties: { ...extra, ...Object.fromEntries(section.settings), ...Object.fromEntries(sections) },
    additionalProperties: false,
  }
}

function describe(name: SettingName): Schema {
  const entry: Setting = settings[name]
  const unit = entry.unit ? ` Unit: ${entry.unit}.` : ''
  const instead = entry.defaultText ? ` Default: ${entry.defaultText}.` : ''
  const hasDefault = entry.default !== undefined && !entry.secret && entry.defaultText === undefined
  return {
    description: `${entry.help}${unit}${instead} Used by ${entry.roles.join(', ')}.`,
    ...typeOf(entry),
    ...(hasDefault ? { default: entry.default } : {}),
    ...(entry.secret ? { writeOnly: true } : {}),
    ...(entry.ineffective ? { deprecated: true } : {}),
  }
}

function typeOf(entry: Setting): Schema {
  if (entry.kind === 'switch') return { type: 'boolean' }
  if (entry.kind === 'duration') {
    const pattern = '^\\d+(\\.\\d+)? ?(ms|s|m|h|d)?$'
    const number = { type: 'integer', minimum: entry.range?.min, maximum: entry.range?.max }
    return { anyOf: [number, { type: 'string', pattern }] }
  }
  // Of numbers the output has the bounds; of other kinds the input is what a file contains.
  const io = entry.kind === 'integer' || entry.kind === 'number' ? 'output' : 'input'
  const { $schema: _, ...schema } = z.toJSONSchema(entry.schema, { io, unrepresentable: 'any' })
  return schema
}
