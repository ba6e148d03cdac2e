import { readFileSync } from 'node:fs'
import { parse } from 'dotenv'
import { describe, expect, it } from 'vitest'
import { renderEnvExample } from '../../scripts/docs/env-example.js'
import { collectErrors, renderErrors } from '../../scripts/docs/errors.js'
import { collectRefusals, undocumentedRefusals } from '../../scripts/docs/refusals.js'
import { renderSettings } from '../../scripts/docs/settings-table.js'
import {
  resolveSettings,
  type Setting,
  type SettingName,
  settings,
  variableOf,
} from '../../src/config/index.js'
import { createMetrics } from '../../src/telemetry/index.js'

const shown = (Object.keys(settings) as SettingName[]).filter((name) => !(settings[name] as Setting).hidden)

function committed(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
}

describe('.env.example', () => {
  it('matches the settings table (if not, run npm run docs)', () => {
    expect(committed('.env.example')).toBe(renderEnvExample())
  })

  it('changes nothing if copied unchanged', () => {
    const text = committed('.env.example')
    expect(text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual([])
    expect(parse(text)).toEqual({})
  })

  it.each(['miner', 'miner check', 'validator', 'verify', 'query', 'update', 'localnet'] as const)(
    'gives the defaults of %s with every line uncommented',
    (role) => {
      const text = committed('.env.example').replaceAll(/^#(?=TARGON_)/gm, '')
      expect(Object.keys(parse(text))).toHaveLength(shown.length)
      const given = resolveSettings(role, { flags: {}, env: {}, dotenvFiles: [{ path: '.env', text }] })
      expect(given.values).toEqual(resolveSettings(role, { flags: {}, env: {} }).values)
    },
  )
})

it('docs/settings.md matches the settings table (if not, run npm run docs)', () => {
  expect(committed('docs/settings.md')).toBe(renderSettings())
})

describe('docs/errors.md', () => {
  it('matches the source (if not, run npm run docs)', () => {
    expect(committed('docs/errors.md')).toBe(renderErrors())
  })

  it('has a message and a next step for every code', () => {
    const errors = collectErrors()
    expect(errors.length).toBeGreaterThan(80)
    const silent = errors.filter(({ messages, next }) => messages.length === 0 || next.length === 0)
    expect(silent.map(({ code }) => code)).toEqual([])
  })

  it('finds messages in branches, constants and functions that create errors', () => {
    const of = (code: string) => collectErrors().find((error) => error.code === code)
    expect(of('HISTORY_UNAVAILABLE')?.next).toContainEqual(expect.stringMatching(/^Check --database\.url/))
    expect(of('HISTORY_UNAVAILABLE')?.next).not.toContain('url')
    expect(of('UNKNOWN_FLAG')?.messages).toEqual([
      '… is a flag of …, not of this command.',
      'Unknown flag ….',
    ])
    expect(of('WALLET_UNREADABLE')?.messages.length).toBeGreaterThan(2)
    expect(of('HOTKEY_IN_USE')?.messages.length).toBeGreaterThan(1)
  })

  it('says who can fix every refusal of the miner', () => {
    expect(collectRefusals().length).toBeGreaterThan(30)
    expect(undocumentedRefusals()).toEqual([])
  })
})

it('derives a distinct variable for every setting', () => {
  const names = Object.keys(settings)
  expect(new Set(names.map(variableOf)).size).toBe(names.length)
})

it('has a default that the schema accepts for every setting', () => {
  for (const name of Object.keys(settings) as SettingName[]) {
    const { schema, default: value }: Setting = settings[name]
    if (value !== undefined) expect(schema.safeParse(value).data, name).toEqual(value)
  }
})

describe('docs/operating.md', () => {
  it('lists exactly the existing metrics', async () => {
    const table =
      /<!-- metrics -->([\s\S]*)<!-- metricsstop -->/.exec(committed('docs/operating.md'))?.[1] ?? ''
    const written = [...table.matchAll(/^\| `(targon_\w+)` \| (all|miner|validator|hub) \|/gm)].map(
      ([, name, role]) => `${name} ${role}`,
    )
    const roles = ['miner', 'validator', 'hub'] as const
    const made = await Promise.all(
      roles.map(async (role) => {
        const text = await createMetrics(role as 'miner').text()
        return { role, names: [...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name ?? '') }
      }),
    )
    const expected = [...new Set(made.flatMap(({ names }) => names))].map((name) => {
      const having = made.filter(({ names }) => names.includes(name))
      return `${name} ${having.length === roles.length ? 'all' : having[0]?.role}`
    })
    expect(written.sort()).toEqual(expected.sort())
  })
})
