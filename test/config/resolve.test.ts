import { describe, expect, it } from 'vitest'
import { NETWORKS } from '../../src/chain/networks.js'
import { describeOrigin, resolveSettings, type SettingSources } from '../../src/config/index.js'
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
  throw new Error('nothing was refused')
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
    '%s beats everything weaker and names itself',
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

  it('lets no .env file override the real environment, not even by a stronger name', () => {
    const { values } = resolveSettings('miner', {
      flags: {},
      env: { BT_WALLET_NAME: 'real' },
      dotenvFiles: [envFile('TARGON_WALLET_NAME=file')],
    })
    expect(values['wallet.name']).toBe('real')
  })

  it('reads .env of the working directory before --env-file', () => {
    const { values } = resolveSettings('miner', {
      ...nothing,
      dotenvFiles: [envFile('TARGON_NETUID=5'), envFile('TARGON_NETUID=6\nTARGON_AXON_PORT=7', 'b.env')],
    })
    expect([values.netuid, values['axon.port']]).toEqual([5, 7])
  })

  it('takes our variable before the name of the SDK', () => {
    const env = { BT_AXON_PORT: '1', TARGON_AXON_PORT: '2' }
    expect(resolveSettings('miner', { flags: {}, env }).values['axon.port']).toBe(2)
  })

  it('counts an empty variable as unset', () => {
    expect(resolveSettings('miner', { flags: {}, env: { TARGON_AXON_PORT: '' } }).values['axon.port']).toBe(
      8091,
    )
  })
})

describe('refusals', () => {
  it('refuses an unknown variable with our prefix and suggests the name', () => {
    const error = refusal(() => resolveSettings('miner', { flags: {}, env: { TARGON_AXON_PROT: '1' } }))
    expect(error).toMatchObject({ code: 'CONFIG_UNKNOWN_VARIABLE', fault: 'usage' })
    expect(`${error.message} ${error.next}`).toMatch(/TARGON_AXON_PROT.*Did you mean TARGON_AXON_PORT\?/)
  })

  it('names file and line of an unknown variable in .env', () => {
    const dotenvFiles = [envFile('# a comment\nTARGON_WALET_NAME=x')]
    expect(refusal(() => resolveSettings('miner', { ...nothing, dotenvFiles })).message).toContain('.env:2')
  })

  it('names file, line and nearest key of an unknown key', () => {
    const configFile = { path: 'targon.config.json', text: '{\n  "netuid": 4,\n  "axon": { "prot": 1 }\n}' }
    const error = refusal(() => resolveSettings('validator', { ...nothing, configFile }))
    expect(error).toMatchObject({ code: 'CONFIG_UNKNOWN_KEY', next: 'Did you mean "axon.port"?' })
    expect(error.message).toContain('targon.config.json:3')
  })

  it.each(['[1]', '{', '"text"', 'null'])('refuses a config file that holds no object: %s', (text) => {
    const configFile = { path: 'c.json', text }
    expect(refusal(() => resolveSettings('miner', { ...nothing, configFile })).code).toBe(
      'CONFIG_FILE_SYNTAX',
    )
  })

  it.each(['{"min":96.5,"max":192}', '{"min":1920,"max":-5}', '{"min":0,"max":5}', '"192-96"'])(
    'refuses a range of tokens nobody can be asked for: %s',
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
  ])('never guesses: %s=%s', (name, value, reason) => {
    const error = refusal(() => resolveSettings('miner', { flags: {}, env: { [name]: value } }))
    expect(error).toMatchObject({ code: 'CONFIG_BAD_VALUE', fault: 'usage' })
    expect(error.message).toContain(name)
    expect(error.message).toContain(reason)
  })

  it('suggests the word meant for a choice', () => {
    const error = refusal(() =>
      resolveSettings('validator', { flags: { 'models.mode': 'endpiont' }, env: {} }),
    )
    expect(error.message).toContain('default, config, endpoint')
    expect(error.next).toBe('Did you mean endpoint?')
  })

  it('never repeats a bad secret', () => {
    const configFile = { path: 'c.json', text: '{"api-key": 4444}' }
    expect(refusal(() => resolveSettings('miner', { ...nothing, configFile })).message).not.toContain('4444')
  })

  it('leaves names of tests, of Kubernetes service links and of other roles alone', () => {
    const env = {
      TARGON_CONFORMANCE_DIR: '/x',
      TARGON_LIVE: '1',
      TARGON_TEST_POSTGRES: 'y',
      TARGON_MINER_SERVICE_HOST: '10.0.0.1',
      TARGON_MINER_PORT: 'tcp://10.0.0.1:8091',
      TARGON_MINER_PORT_8091_TCP_ADDR: '10.0.0.1',
      TARGON_MODELS_MODE: 'config',
    }
    expect(resolveSettings('miner', { flags: {}, env }).values.netuid).toBe(4)
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
  ])('updates are off as soon as one source says so: %j %j', (env, flags, off) => {
    expect(resolveSettings('validator', { flags, env }).values['autoupdate-off']).toBe(off)
  })

  it('warns of NO_AUTO_UPDATE, which 4.x read backwards', () => {
    const { warnings } = resolveSettings('validator', { flags: {}, env: { NO_AUTO_UPDATE: 'true' } })
    expect(warnings.join()).toMatch(/NO_AUTO_UPDATE.*TARGON_AUTOUPDATE_OFF/)
  })

  it('warns of settings without effect', () => {
    const { warnings } = resolveSettings('validator', {
      flags: {},
      env: { TARGON_NO_VERSION_CHECKING: 'true' },
    })
    expect(warnings.join()).toMatch(/TARGON_NO_VERSION_CHECKING.*no effect/)
  })

  it('warns of a secret on the command line and never of one in the environment', () => {
    expect(resolveSettings('miner', { flags: { 'api-key': 's' }, env: {} }).warnings.join()).toContain(
      'TARGON_API_KEY',
    )
    expect(resolveSettings('miner', { flags: {}, env: { TARGON_API_KEY: 's' } }).warnings).toEqual([])
  })
})

it('reads lists from repeated flags, comma-separated text and arrays alike', () => {
  const expected = ['http://a/v1', 'http://b/v1']
  const configFile = { path: 'c.json', text: JSON.stringify({ 'model-endpoint': expected }) }
  for (const sources of [
    { ...nothing, flags: { 'model-endpoint': expected } },
    { ...nothing, env: { TARGON_MODEL_ENDPOINT: expected.join(', ') } },
    { ...nothing, configFile },
  ])
    expect(resolveSettings('miner', sources).values['model-endpoint']).toEqual(expected)
})

it('gives roles of one host status ports of their own, and a given one wins for both', () => {
  const port = (role: 'miner' | 'validator', flags = {}) =>
    resolveSettings(role, { flags, env: {} }).values['metrics.port']
  expect([port('miner'), port('validator')]).toEqual([9100, 9101])
  expect([port('miner', { 'metrics.port': '7' }), port('validator', { 'metrics.port': '7' })]).toEqual([7, 7])
})

describe('values that cannot work are refused before anything is connected, in words that make a sentence', () => {
  it.each([
    [
      'miner',
      'subtensor.network',
      'fineny',
      /"fineny", which must be finney, test, archive, local, or a ws:/,
    ],
    ['miner', 'subtensor.network', 'http://x', /which must be finney/],
    ['miner', 'subtensor.chain_endpoint', 'example.org:9944', /which must be ws:\/\/host:port/],
    ['miner', 'model-endpoint', 'localhost:8000', /which must start with http:\/\/ or https:\/\/\.$/],
    ['miner', 'model-endpoint', 'http://a,b', /must start with http.*, not "b"/],
    ['query', 'axon', '10.0.0.1', /which must be ip:port/],
    ['query', 'axon', '10.0.0.1:70000', /which must be ip:port/],
    ['query', 'axon', '::1:80', /which must be ip:port/],
    ['miner', 'wallet.name', '', /which must not be empty/],
    ['miner', 'netuid', '1.5', /which must be a whole number/],
    ['miner', 'netuid', '-1', /which must be at least 0/],
    [
      'miner',
      'upstreams',
      '[{"url":"http://a","key":1}]',
      /has a value that must not have the key "key" at 0\.$/,
    ],
    ['miner', 'upstreams', '[{"url":"a"}]', /that must start with http:\/\/ or https:\/\/ at 0\.url\.$/],
    ['miner', 'upstreams', '{', /that must be a JSON array/],
  ] as const)('%s --%s %j', (role, name, value, words) => {
    expect(() => resolveSettings(role, { flags: { [name]: value }, env: {} })).toThrow(words)
  })

  it.each([
    ['miner', 'subtensor.network', 'Finney'],
    ['miner', 'subtensor.network', 'wss://node.example:443'],
    ['miner', 'subtensor.chain_endpoint', 'ws://127.0.0.1:9944,wss://b'],
    ['query', 'axon', '[2001:db8::1]:8091'],
  ] as const)('%s --%s %j is taken', (role, name, value) => {
    expect(() => resolveSettings(role, { flags: { [name]: value }, env: {} })).not.toThrow()
  })

  it('knows the networks chain/ knows', () => {
    for (const { name } of NETWORKS)
      expect(
        resolveSettings('miner', { flags: { 'subtensor.network': name }, env: {} }).values,
      ).toMatchObject({
        'subtensor.network': name,
      })
  })
})
