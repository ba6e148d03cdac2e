import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { renderConfigSchema } from '../../scripts/docs/config-schema.js'
import MinerStart from '../../src/commands/miner/start.js'
import ValidatorStart from '../../src/commands/validator/start.js'
import { parseConfigFile } from '../../src/config/config-file.js'
import { defaultFor, type Setting, type SettingName, settings } from '../../src/config/index.js'
import { runCommand } from '../support/cli.js'

const folder = fileURLToPath(new URL('../../deploy/examples/', import.meta.url))
const schema = JSON.parse(renderConfigSchema())
const validate = new Ajv2020({ allowUnionTypes: true }).compile(schema)

describe.each(readdirSync(folder))('deploy/examples/%s', (name) => {
  const path = folder + name
  const text = readFileSync(path, 'utf8')

  it('sets what the command prints with --print-config, without a warning', async () => {
    const command = name.startsWith('miner') ? MinerStart : ValidatorStart
    const { status, stdout } = await runCommand(command, ['--config', path, '--print-config', '--json'])
    expect(status).toBe(0)
    const printed = JSON.parse(stdout) as { settings: { name: string; source: string }[] }
    expect(printed).not.toHaveProperty('warnings')
    const given = [...parseConfigFile({ path, text }).values.keys()]
    expect(given.length).toBeGreaterThan(6)
    for (const key of given) {
      const source = printed.settings.find((setting) => setting.name === key)?.source
      expect(source, key).toMatch(/:\d+\)$/)
    }
  })

  it('matches the schema that it names', () => {
    expect(text).toContain('../../docs/targon.config.schema.json')
    expect(validate(parse(text)), JSON.stringify(validate.errors)).toBe(true)
  })
})

describe('docs/targon.config.schema.json', () => {
  it('matches the settings table (if not, run npm run docs)', () => {
    const committed = new URL('../../docs/targon.config.schema.json', import.meta.url)
    expect(readFileSync(committed, 'utf8')).toBe(renderConfigSchema())
  })

  it.each([
    [{ 'axon.port': 'eighty' }, 'text for a number'],
    [{ axon: { port: 70_000 } }, 'a number out of bounds'],
    [{ axon: { prot: 1 } }, 'an unknown nested key'],
    [{ 'axon.prot': 1 }, 'an unknown flat key'],
    [{ 'models.mode': 'defualt' }, 'a word that is not allowed'],
    [{ 'drain-timeout': 'soon' }, 'a text that is not a duration'],
    [{ upstreams: [{ uri: 'http://127.0.0.1:1/v1' }] }, 'an unknown key of an upstream'],
  ])('refuses %j: %s', (document: object, _what: string) => {
    expect(validate(document)).toBe(false)
  })

  it.each([
    { axon: { port: 8091 }, 'metrics.port': 9100 },
    { 'drain-timeout': '15s', heartbeat: true, round: { 'max-tokens': { min: 96, max: 192 } } },
    { upstreams: [{ url: 'http://127.0.0.1:8000/v1', weight: 2 }], 'verification.burst': 'off' },
  ])('accepts %j', (document) => {
    expect(validate(document), JSON.stringify(validate.errors)).toBe(true)
  })

  it('accepts every default, as the program does', () => {
    const names = (Object.keys(settings) as SettingName[]).filter((name) => schema.properties[name])
    const given = names.flatMap((name) => {
      const entry: Setting = settings[name]
      return entry.roles.flatMap((role) => {
        const value = defaultFor(entry, role)
        return value === undefined || entry.secret ? [] : [[name, value] as const]
      })
    })
    expect(given.length).toBeGreaterThan(100)
    for (const [name, value] of given)
      expect(validate({ [name]: value }), `${name} ${JSON.stringify(validate.errors)}`).toBe(true)
  })

  it('marks secrets as never read back, and gives no default for them', () => {
    const secrets = (Object.keys(settings) as SettingName[]).filter(
      (name) => (settings[name] as Setting).secret && schema.properties[name],
    )
    expect(secrets.length).toBeGreaterThan(3)
    for (const name of secrets) {
      expect(schema.properties[name]).toMatchObject({ writeOnly: true })
      expect(schema.properties[name]).not.toHaveProperty('default')
    }
  })
})
