import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { resolveSettings, type SettingSources, settings } from '../../src/config/index.js'

const nothing: SettingSources = { flags: {}, env: {} }

const roles = {
  validator: [
    'wallet.path',
    'wallet.password_file',
    'logging.logging_dir',
    'engine.cache-dir',
    'engine.docker-socket',
    'engine.model-dir',
    'models.file',
    'dataset.url',
  ],
  hub: ['hub.tls-cert', 'hub.tls-key', 'hub.retain-key-file'],
  update: ['update.root', 'update.signers'],
  localnet: ['dir'],
} as const
const paths = Object.entries(roles).flatMap(([role, names]) =>
  names.map((name) => ({ role: role as keyof typeof roles, name })),
)

function resolved(role: keyof typeof roles, name: string, sources: Partial<SettingSources> = {}): unknown {
  const values: Readonly<Record<string, unknown>> = resolveSettings(role, { ...nothing, ...sources }).values
  return values[name]
}

describe('path settings', () => {
  it.each(paths)('$name expands ~ that no shell expanded', (path) => {
    const value = resolved(path.role, path.name, { flags: { [path.name]: '~/in home' } })
    expect(value).toBe(join(homedir(), 'in home'))
  })

  it.each(paths)('$name becomes absolute', ({ role, name }) => {
    expect(resolved(role, name, { flags: { [name]: 'some/where' } })).toBe(resolve('some/where'))
    expect(resolved(role, name, { flags: { [name]: '/else/~/where' } })).toBe('/else/~/where')
  })

  it('resolve the same from every source and as defaults', () => {
    const expected = join(homedir(), 'w')
    expect(resolved('validator', 'wallet.path', { env: { TARGON_WALLET_PATH: '~/w' } })).toBe(expected)
    const configFile = { path: 'c.json', text: '{"wallet": {"path": "~/w"}}' }
    expect(resolved('validator', 'wallet.path', { configFile })).toBe(expected)
    expect(resolved('validator', 'wallet.path')).toBe(join(homedir(), '.bittensor/wallets'))
    expect(resolved('update', 'update.root')).toBe(join(homedir(), '.targon'))
  })

  it('within the state folder stay relative to it', () => {
    expect(resolved('validator', 'cache-file', { flags: { 'cache-file': 'a/b.json' } })).toBe('a/b.json')
    expect(resolved('validator', 'cache-file', { flags: { 'cache-file': '~/b.json' } })).toBe(
      join(homedir(), 'b.json'),
    )
  })

  it('leave URLs and "off" unchanged', () => {
    for (const url of ['https://host/~/rows.parquet', 'HTTP://host/x', 'off'])
      expect(resolved('validator', 'dataset.url', { flags: { 'dataset.url': url } })).toBe(url)
  })

  it('are all in the list above: no file or folder setting is plain text', () => {
    const listed: ReadonlySet<string> = new Set([...paths.map(({ name }) => name), 'cache-file'])
    const kinds = Object.entries(settings).filter(([, { kind }]) => kind === 'path')
    expect(new Set(kinds.map(([name]) => name))).toEqual(listed)
    const suspicious = Object.keys(settings).filter((name) => /[-_.](path|file|dir|root|socket)$/.test(name))
    expect(suspicious.filter((name) => !listed.has(name))).toEqual([])
  })
})
