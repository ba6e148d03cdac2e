import { describe, expect, test } from 'vitest'
import { resolveSettings, type SettingSources } from '../../src/config/index.js'

const OWN = 'ws://own:9944'
const OTHER = 'ws://other:9944'

function chainOf(sources: Partial<SettingSources>) {
  const { values, warnings } = resolveSettings('validator', { flags: {}, env: {}, ...sources })
  return {
    network: values['subtensor.network'],
    endpoints: values['subtensor.chain_endpoint'],
    fallbacks: values['subtensor.fallback_endpoints'],
    wallet: values['wallet.name'],
    warnings,
  }
}

describe('the names of SDK 11', () => {
  test('are understood', () => {
    const env = {
      BT_NETWORK: 'local',
      BT_CHAIN_ENDPOINT: OWN,
      BT_FALLBACK_ENDPOINTS: `${OTHER}, wss://third:443`,
      BT_WALLET: 'mine',
    }
    expect(chainOf({ env })).toEqual({
      network: 'local',
      endpoints: [OWN],
      fallbacks: [OTHER, 'wss://third:443'],
      wallet: 'mine',
      warnings: [],
    })
    expect(chainOf({ env: { BT_NETWORK: 'devnet', BT_FALLBACK_ENDPOINTS: 'none' } })).toMatchObject({
      network: 'devnet',
      fallbacks: [],
      warnings: [],
    })
  })

  test('the endpoint counts without a network, and only for the network local', () => {
    expect(chainOf({ env: { BT_CHAIN_ENDPOINT: OWN } })).toMatchObject({ endpoints: [OWN], warnings: [] })
    for (const network of ['finney', 'test', OTHER])
      expect(chainOf({ env: { BT_NETWORK: network, BT_CHAIN_ENDPOINT: OWN } })).toMatchObject({
        network,
        endpoints: [],
        warnings: ['BT_CHAIN_ENDPOINT is ignored: it is the endpoint of the network local.'],
      })
  })

  test.each([
    [
      { BT_SUBTENSOR_NETWORK: 'test', BT_CHAIN_ENDPOINT: OWN },
      { network: 'test', endpoints: [] },
      ['BT_CHAIN_ENDPOINT is ignored: BT_SUBTENSOR_NETWORK chose the chain first.'],
    ],
    [
      { BT_SUBTENSOR_CHAIN_ENDPOINT: OWN, BT_NETWORK: 'test', BT_FALLBACK_ENDPOINTS: OTHER },
      { network: 'finney', endpoints: [OWN], fallbacks: undefined },
      ['BT_NETWORK, BT_FALLBACK_ENDPOINTS are ignored: BT_SUBTENSOR_CHAIN_ENDPOINT chose the chain first.'],
    ],
    [{ BT_SUBTENSOR_NETWORK: 'test', BT_NETWORK: 'test' }, { network: 'test' }, []],
    [
      { BT_WALLET_NAME: 'a', BT_WALLET: 'b' },
      { wallet: 'a' },
      ['BT_WALLET is ignored: BT_WALLET_NAME chose the wallet first.'],
    ],
    [{ BT_WALLET_NAME: 'a', BT_WALLET: 'a' }, { wallet: 'a' }, []],
  ])('are never mixed with those of the earlier SDK: %j', (env, expected, warnings) => {
    expect(chainOf({ env })).toMatchObject({ ...expected, warnings })
    const [[first, second]] = [Object.entries(env)]
    if (!first || !second) throw new Error('two variables')
    const text = Object.entries(env)
      .slice(1)
      .map(([name, value]) => `${name}=${value}`)
      .join('\n')
    const split = { env: { [first[0]]: first[1] }, dotenvFiles: [{ path: '.env', text }] }
    expect(chainOf(split)).toMatchObject({ ...expected, warnings })
  })
})

describe('endpoints of a weaker source than the network', () => {
  test.each([
    ['--subtensor.network', { flags: { 'subtensor.network': 'test' } }],
    ['TARGON_SUBTENSOR_NETWORK', { env: { TARGON_SUBTENSOR_NETWORK: 'test' } }],
  ])('are ignored beside %s, because they may belong to another chain', (name, sources) => {
    const env = { ...('env' in sources ? sources.env : {}), BT_SUBTENSOR_CHAIN_ENDPOINT: OWN }
    expect(chainOf({ ...sources, env })).toMatchObject({
      network: 'test',
      endpoints: [],
      warnings: [`BT_SUBTENSOR_CHAIN_ENDPOINT is ignored: ${name} chose the network.`],
    })
  })

  test.each(['finney', 'local'])('are used beside the network %s, whose chain is known', (network) => {
    const flags = { 'subtensor.network': network }
    const sources = { flags, env: { BT_SUBTENSOR_CHAIN_ENDPOINT: OWN } }
    expect(chainOf(sources)).toMatchObject({ network, endpoints: [OWN], warnings: [] })
  })

  test('a stronger endpoint wins, and fallbacks of a weaker source are left out', () => {
    const flags = { 'subtensor.chain_endpoint': OWN }
    const env = { BT_NETWORK: 'test', BT_FALLBACK_ENDPOINTS: OTHER }
    expect(chainOf({ flags, env })).toMatchObject({
      endpoints: [OWN],
      fallbacks: undefined,
      warnings: ['BT_FALLBACK_ENDPOINTS is ignored: --subtensor.chain_endpoint chose the chain.'],
    })
  })
})

test('names the variables of the SDK that are not read, in one line', () => {
  const env = { BT_EVM_ENDPOINT: 'x', BT_PW_A: 'x', BT_AXON_PORT: '1', BT_A_SERVICE_HOST: '10.0.0.1' }
  const sources = { env, dotenvFiles: [{ path: '.env', text: 'BT_WALET=b\nBT_EVM_ENDPOINT=y' }] }
  expect(chainOf(sources).warnings).toEqual([
    'Not read here: BT_EVM_ENDPOINT, BT_WALET. The variables that are read stand in .env.example.',
  ])
  expect(resolveSettings('localnet', { flags: {}, env }).warnings).toEqual([])
})
