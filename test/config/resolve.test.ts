import { describe, expect, it } from 'vitest'
import { NETWORKS } from '../../src/chain/networks.js'
import {
  describeOrigin,
  printSettings,
  resolveSettings,
  type SettingSources,
  variableOf,
} from '../../src/config/index.js'
import { TargonError } from '../../src/kernel/errors.js'

const nothing: SettingSources = { flags: {}, env: {} }

function envFile(text: string, path = '.env') {
  return { path, text }
}

function refusal(run: () => unknown): TargonError {
  try {
    run()
  } catch (error) {
    if (error instanceof TargonError) return error
    throw error
  }
  throw new Error('expected a refusal')
}

describe('precedence', () => {
  const layers: [string, Partial<SettingSources>, number, string][] = [
    ['flag', { flags: { 'axon.port': '1001' } }, 1001, '--axon.port'],
    ['environment', { env: { TARGON_AXON_PORT: '1002' } }, 1002, 'TARGON_AXON_PORT'],
    ['.env', { dotenvFiles: [envFile('\nTARGON_AXON_PORT=1003')] }, 1003, 'TARGON_AXON_PORT (.env:2)'],
    [
      'config file',
      { configFile: { path: 'c.json', text: '{\n"axon": {\n"port": 1004}}' } },
      1004,
      'axon.port (c.json:3)',
    ],
    ['default', {}, 8091, 'default'],
  ]

  it.each(layers.map((layer, index) => [layer[0], index] as const))(
    '%s overrides every weaker source and is named as the origin',
    (_, index) => {
      const sources = Object.assign(
        {},
        nothing,
        ...layers.slice(index).map(([, layer]) => layer),
      ) as SettingSources
      const { values, origins } = resolveSettings('miner', sources)
      expect(values['axon.port']).toBe(layers[index]?.[2])
      expect(describeOrigin(origins['axon.port']!)).toBe(layers[index]?.[3])
    },
  )

  it('never lets a .env file override the real environment, whichever name it uses', () => {
    const { values } = resolveSettings('miner', {
      flags: {},
      env: { BT_WALLET_NAME: 'real' },
      dotenvFiles: [envFile('TARGON_WALLET_NAME=file')],
    })
    expect(values['wallet.name']).toBe('real')
  })

  it('prefers .env in the working directory to --env-file', () => {
    const { values } = resolveSettings('miner', {
      ...nothing,
      dotenvFiles: [envFile('TARGON_NETUID=5'), envFile('TARGON_NETUID=6\nTARGON_AXON_PORT=7', 'b.env')],
    })
    expect([values.netuid, values['axon.port']]).toEqual([5, 7])
  })

  it('prefers our variable to that of the SDK', () => {
    const env = { BT_AXON_PORT: '1', TARGON_AXON_PORT: '2' }
    expect(resolveSettings('miner', { flags: {}, env }).values['axon.port']).toBe(2)
  })

  it('treats an empty variable as unset', () => {
    expect(resolveSettings('miner', { flags: {}, env: { TARGON_AXON_PORT: '' } }).values['axon.port']).toBe(
      8091,
    )
  })
})

describe('numbers', () => {
  it.each([
    ['.9', 0.9],
    ['1.', 1],
    ['9e-1', 0.9],
    ['+0.9', 0.9],
    ['0.9\n', 0.9],
  ])('may be written as %j', (text, value) => {
    const { values } = resolveSettings('validator', {
      flags: { 'engine.gpu-memory-utilization': text },
      env: {},
    })
    expect(values['engine.gpu-memory-utilization']).toBe(value)
  })

  it.each(['.', '', 'e5', '0x1', '1,5', 'NaN', 'Infinity', '1e999'])('may not be written as %j', (text) => {
    const flags = { 'engine.gpu-memory-utilization': text }
    expect(refusal(() => resolveSettings('validator', { flags, env: {} })).code).toBe('CONFIG_BAD_VALUE')
  })
})

const secrets = [
  ['miner', 'api-key'],
  ['miner', 'replay.redis-url'],
  ['validator', 'engine.api-key'],
  ['validator', 'engine.hub-token'],
  ['validator', 'database.url'],
] as const

describe('secrets', () => {
  it.each(secrets)('of %s lose the line feed that a file ends in: %s', (role, name) => {
    const env = { [variableOf(name)]: ' hidden-word\r\n' }
    expect(resolveSettings(role, { flags: {}, env }).values).toMatchObject({ [name]: 'hidden-word' })
  })

  it.each(secrets)('of %s are refused with another line, by name and without the value: %s', (role, name) => {
    const env = { [variableOf(name)]: 'hidden\nword' }
    const error = refusal(() => resolveSettings(role, { flags: {}, env }))
    expect(error.code).toBe('CONFIG_BAD_VALUE')
    expect(error.message).toMatch(new RegExp(`^${variableOf(name)} must .*one line`))
    expect(error.message).not.toMatch(/hidden|word/)
    const blank = { [variableOf(name)]: ' \n' }
    expect(() => resolveSettings(role, { flags: {}, env: blank })).toThrow('must not be empty')
  })

  it('are trimmed and refused within upstreams too', () => {
    const given = (apiKey: string) => ({ upstreams: JSON.stringify([{ url: 'http://a', apiKey }]) })
    const { values } = resolveSettings('miner', { flags: given('hidden\n'), env: {} })
    expect(values.upstreams[0]?.apiKey).toBe('hidden')
    const error = refusal(() => resolveSettings('miner', { flags: given('hidden\nword'), env: {} }))
    expect(error.message).toBe(
      '--upstreams: [0].apiKey must contain only printable ASCII characters, on one line.',
    )
  })
})

it('prints no password of an address', () => {
  const flags = {
    'subtensor.chain_endpoint': ['wss://user:hidden-word@node'],
    'model-endpoint': ['http://u:hidden-word@a/v1'],
  }
  const printed = JSON.stringify(printSettings(resolveSettings('miner', { flags, env: {} })))
  expect(printed).not.toContain('hidden-word')
  expect(printed).toContain('wss://user:[redacted]@node')
})

describe('invalid sources', () => {
  it.each(['{"min":96.5,"max":192}', '{"min":1920,"max":-5}', '{"min":0,"max":5}', '"192-96"'])(
    'refuses an impossible token range: %s',
    (range) => {
      const configFile = { path: 'c.json', text: `{"round.max-tokens":${range}}` }
      const error = refusal(() => resolveSettings('validator', { ...nothing, configFile }))
      expect(error.fault).toBe('usage')
      expect(error.message).toContain('round.max-tokens')
    },
  )

  it.each([
    ['TARGON_AXON_PORT', 'banana', 'must be a number'],
    ['TARGON_AXON_PORT', '70000', 'at most 65535'],
    ['TARGON_AXON_PORT', '80.5', 'whole number'],
    ['TARGON_LOGGING_DEBUG', 'banana', 'must be yes/true/t/1 or no/false/f/0'],
    ['TARGON_LOGGING_DEBUG', 'on', 'must be yes/true/t/1 or no/false/f/0'],
  ])('refuses %s=%s', (name, value, reason) => {
    const error = refusal(() => resolveSettings('miner', { flags: {}, env: { [name]: value } }))
    expect(error).toMatchObject({ code: 'CONFIG_BAD_VALUE', fault: 'usage' })
    expect(error.message).toContain(name)
    expect(error.message).toContain(reason)
  })

  it('suggests the closest word of a choice', () => {
    const error = refusal(() =>
      resolveSettings('validator', { flags: { 'models.mode': 'endpiont' }, env: {} }),
    )
    expect(error.message).toContain('default, config, endpoint')
    expect(error.next).toBe('Did you mean endpoint?')
  })

  it('never repeats an invalid secret', () => {
    const configFile = { path: 'c.json', text: '{"api-key": 4444}' }
    expect(refusal(() => resolveSettings('miner', { ...nothing, configFile })).message).not.toContain('4444')
  })
})

describe('switches of 4.x', () => {
  const yes = ['yes', 'true', 't', '1', 'TRUE', 'Yes']
  const no = ['no', 'false', 'f', '0', 'FALSE', 'No']

  it.each([...yes.map((word) => [word, true] as const), ...no.map((word) => [word, false] as const)])(
    'IS_TESTNET=%s is %s',
    (word, value) => {
      expect(
        resolveSettings('validator', { flags: {}, env: { IS_TESTNET: word } }).values['is-testnet'],
      ).toBe(value)
    },
  )

  it.each([
    [{}, {}, false],
    [{ AUTO_UPDATE: 'False' }, {}, true],
    [{ AUTO_UPDATE: 'True' }, {}, false],
    [{ NO_AUTO_UPDATE: 'True' }, {}, true],
    [{ NO_AUTO_UPDATE: 'False' }, {}, false],
    [{ AUTO_UPDATE: 'True', NO_AUTO_UPDATE: 'True' }, {}, true],
    [{ AUTO_UPDATE: 'False', NO_AUTO_UPDATE: 'False' }, {}, true],
    [{ AUTO_UPDATE: 'True' }, { 'autoupdate-off': true }, true],
    [{ AUTO_UPDATE: 'False' }, { 'autoupdate-off': false }, true],
    [{ TARGON_AUTOUPDATE_OFF: '1', AUTO_UPDATE: 'True' }, {}, true],
  ])('turns updates off if any source does: %j %j', (env, flags, off) => {
    expect(resolveSettings('validator', { flags, env }).values['autoupdate-off']).toBe(off)
  })

  it('warns about NO_AUTO_UPDATE, which 4.x read inverted', () => {
    const { warnings } = resolveSettings('validator', { flags: {}, env: { NO_AUTO_UPDATE: 'true' } })
    expect(warnings.join()).toMatch(/NO_AUTO_UPDATE.*TARGON_AUTOUPDATE_OFF/)
  })

  it('warns about settings without effect', () => {
    const { warnings } = resolveSettings('validator', {
      flags: {},
      env: { TARGON_NO_VERSION_CHECKING: 'true' },
    })
    expect(warnings.join()).toMatch(/TARGON_NO_VERSION_CHECKING.*no effect/)
  })

  it('warns about a secret on the command line but not in the environment', () => {
    expect(resolveSettings('miner', { flags: { 'api-key': 's' }, env: {} }).warnings.join()).toContain(
      'TARGON_API_KEY',
    )
    expect(resolveSettings('miner', { flags: {}, env: { TARGON_API_KEY: 's' } }).warnings).toEqual([])
  })
})

it('reads lists from repeated flags, comma-separated text and arrays', () => {
  const expected = ['http://a/v1', 'http://b/v1']
  const configFile = { path: 'c.json', text: JSON.stringify({ 'model-endpoint': expected }) }
  for (const sources of [
    { ...nothing, flags: { 'model-endpoint': expected } },
    { ...nothing, env: { TARGON_MODEL_ENDPOINT: expected.join(', ') } },
    { ...nothing, configFile },
  ])
    expect(resolveSettings('miner', sources).values['model-endpoint']).toEqual(expected)
})

it('gives each role its own default status port, and a given port overrides both', () => {
  const port = (role: 'miner' | 'validator', flags = {}) =>
    resolveSettings(role, { flags, env: {} }).values['metrics.port']
  expect([port('miner'), port('validator')]).toEqual([9100, 9101])
  expect([port('miner', { 'metrics.port': '7' }), port('validator', { 'metrics.port': '7' })]).toEqual([7, 7])
})

describe('messages for invalid values', () => {
  it.each([
    [
      'miner',
      'subtensor.network',
      'fineny',
      /network must be finney, test, archive, devnet, local, or a ws:.*, got "fineny"\.$/,
    ],
    ['miner', 'subtensor.network', 'http://x', /must be finney/],
    ['miner', 'subtensor.chain_endpoint', 'example.org:9944', /must be ws:\/\/host:port/],
    [
      'miner',
      'model-endpoint',
      'localhost:8000',
      /must start with http:\/\/ or https:\/\/, got "localhost:8000"\.$/,
    ],
    ['miner', 'model-endpoint', 'http://a,b', /must start with http.*, got "b"/],
    ['query', 'axon', '10.0.0.1', /must be ip:port/],
    ['query', 'axon', '10.0.0.1:70000', /must be ip:port/],
    ['query', 'axon', '::1:80', /must be ip:port/],
    ['miner', 'wallet.name', '', /must not be empty\.$/],
    ['miner', 'netuid', '1.5', /must be a whole number, got "1\.5"\.$/],
    ['miner', 'netuid', '-1', /must be at least 0, got "-1"\.$/],
    [
      'miner',
      'upstreams',
      '[{"url":"http://a","key":1}]',
      /^--upstreams: \[0\] must not have the key "key"\.$/,
    ],
    ['miner', 'upstreams', '[{"url":"a"}]', /: \[0\]\.url must start with http:\/\/ or https:\/\/\.$/],
    ['miner', 'upstreams', '{', /must be a JSON array/],
    ['miner', 'request-policy', 'of', /must be default, off, or a JSON object/],
    ['miner', 'request-policy', '{', /must be default, off, or a JSON object/],
    ['miner', 'request-policy', '{"alow":[]}', /must not have the key "alow"/],
    ['miner', 'request-policy', '{"ceilings":{"n":-1}}', /ceilings\.n must be at least 0/],
  ] as const)('%s --%s %j', (role, name, value, words) => {
    expect(() => resolveSettings(role, { flags: { [name]: value }, env: {} })).toThrow(words)
  })

  it.each([
    ['miner', 'subtensor.network', 'Finney'],
    ['miner', 'subtensor.network', 'wss://node.example:443'],
    ['miner', 'subtensor.chain_endpoint', 'ws://127.0.0.1:9944,wss://b'],
    ['query', 'axon', '[2001:db8::1]:8091'],
    ['miner', 'request-policy', 'off'],
    ['miner', 'request-policy', '{"allow":["priority"],"ceilings":{"n":1},"content":["image_url"]}'],
  ] as const)('accepts %s --%s %j', (role, name, value) => {
    expect(() => resolveSettings(role, { flags: { [name]: value }, env: {} })).not.toThrow()
  })

  it('accepts every network of chain/', () => {
    for (const { name } of NETWORKS)
      expect(
        resolveSettings('miner', { flags: { 'subtensor.network': name }, env: {} }).values,
      ).toMatchObject({
        'subtensor.network': name,
      })
  })
})
