import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readSources, resolveSettings, sourceFiles } from '../../src/config/index.js'
import { expandHome } from '../../src/kernel/expand-home.js'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sources-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('a file with a secret that other users may read', () => {
  const dotenv = ['.env', 'TARGON_API_KEY=abc\nTARGON_ENGINE_API_KEY=abc'] as const
  const config = ['targon.config.json', '{"replay": {"redis-url": "redis://:abc@host"}}'] as const
  const upstreams = [
    'targon.config.json',
    '{"upstreams": [{"url": "http://127.0.0.1:8000/v1", "apiKey": "abc"}]}',
  ] as const

  it.each([
    [...dotenv, 0o644, true],
    [...dotenv, 0o640, true],
    [...dotenv, 0o600, false],
    ['.env', 'TARGON_AXON_PORT=9', 0o644, false],
    [...config, 0o604, true],
    [...config, 0o600, false],
    [...upstreams, 0o644, true],
    ['targon.config.yaml', 'upstreams:\n- url: http://127.0.0.1:8000/v1\n  apiKey: abc', 0o644, true],
  ])('%s with %j and mode %i warns: %s', async (name, text, mode, isWarned) => {
    await writeFile(join(folder, name), text)
    await chmod(join(folder, name), mode)
    const { warnings } = resolveSettings('miner', readSources({}, {}, {}, folder))
    const expected = `${name} contains a secret and is readable by other users; run: chmod 600 ${name}`
    expect(warnings.filter((warning) => warning.includes('secret'))).toEqual(isWarned ? [expected] : [])
    expect(warnings.join()).not.toContain('abc')
  })
})

describe('the encoding of a file', () => {
  const utf16 = (text: string) => Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from(text, 'utf16le')])
  const portOf = () => resolveSettings('miner', readSources({}, {}, {}, folder)).values['axon.port']

  it.each([
    ['.env', Buffer.from('\ufeffTARGON_AXON_PORT=9')],
    ['.env', utf16('TARGON_AXON_PORT=9\r\n')],
    ['targon.config.json', Buffer.from('\ufeff{"axon.port": 9}')],
    ['targon.config.json', utf16('{"axon.port": 9}')],
    ['targon.config.yaml', Buffer.from('\ufeffaxon.port: 9')],
    ['targon.config.yml', utf16('axon:\r\n  port: 9\r\n')],
  ])('of %s may have a byte order mark: %#', async (name, bytes) => {
    await writeFile(join(folder, name), bytes)
    expect(portOf()).toBe(9)
  })

  it.each(['.env', 'targon.config.json'])('of %s may not be UTF-16 without a mark', async (name) => {
    await writeFile(join(folder, name), Buffer.from('TARGON_AXON_PORT=9', 'utf16le'))
    expect(portOf).toThrow(
      expect.objectContaining({ code: 'CONFIG_FILE_ENCODING', message: expect.stringContaining(name) }),
    )
  })
})

describe('a file named by flag or variable', () => {
  it('may start with ~, which no shell expands in a variable', () => {
    const missing = `~/no-such-folder-${process.pid}/targon.json`
    const read = () => readSources({}, {}, { TARGON_CONFIG: missing }, folder)
    expect(read).toThrow(expandHome(missing))
  })

  it('is watched where it was read from', async () => {
    await writeFile(join(folder, 'own.json'), '{}')
    const sources = readSources({}, { config: 'own.json' }, {}, folder)
    expect(sourceFiles(sources, folder)).toEqual([join(folder, '.env'), join(folder, 'own.json')])
  })
})

describe('config files in the working directory', () => {
  it('are refused when there are two, unless one is named', async () => {
    await writeFile(join(folder, 'targon.config.json'), '{"axon.port": 8}')
    await writeFile(join(folder, 'targon.config.yaml'), 'axon.port: 9')
    expect(() => readSources({}, {}, {}, folder)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_FILES_AMBIGUOUS',
        message: 'Both targon.config.json and targon.config.yaml are in the working directory.',
      }),
    )
    const named = readSources({}, { config: 'targon.config.yaml' }, {}, folder)
    expect(resolveSettings('miner', named).values['axon.port']).toBe(9)
  })

  it('are watched under each of their names', () => {
    const names = ['.env', 'targon.config.json', 'targon.config.yaml', 'targon.config.yml']
    expect(sourceFiles(readSources({}, {}, {}, folder), folder)).toEqual(
      names.map((name) => join(folder, name)),
    )
  })

  it.each(['targon.config.yaml', '.env'])('are refused when they are too large: %s', async (name) => {
    await writeFile(join(folder, name), '# \n'.repeat(400_000))
    expect(() => readSources({}, {}, {}, folder)).toThrow(
      expect.objectContaining({ code: 'CONFIG_FILE_TOO_LARGE' }),
    )
  })
})
