import { PassThrough } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { resolveSettings } from '../../src/config/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import {
  type DevelopmentEngine,
  type DevelopmentEngineOptions,
  startDevelopmentEngine,
} from '../../src/localnet/engine/index.js'
import {
  type Answers,
  answersGiven,
  askAll,
  askRole,
  createAsker,
  type Given,
  type Neuron,
  probeModels,
  type SetupDeps,
  writeSettings,
} from '../../src/setup/index.js'
import { freePort } from '../support/free-port.js'

const MODEL = 'targon-dev/small-a'
const DOWN = '\u001B[B'
const ENTER = '\r'
const engines: DevelopmentEngine[] = []

afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()))
})

async function startEngine(options: Partial<DevelopmentEngineOptions> = {}): Promise<string> {
  const usual = { port: 0, models: [MODEL], returnTokensAsTokenIds: true }
  const engine = await startDevelopmentEngine({ ...usual, ...options }, { clock: systemClock })
  engines.push(engine)
  return engine.url
}

/**
 * What is shown after the last answered question, which is drawn once more with a tick; each key draws the open question again.
 *
 * @param mustAnswer the question is the same as the one before
 */
function openPart(shown: string, mustAnswer: boolean): string {
  const tick = shown.lastIndexOf('✔')
  if (tick < 0) return mustAnswer ? '' : shown
  const end = shown.indexOf('\n', tick)
  return end < 0 ? '' : shown.slice(end)
}

/** A terminal at which each question is answered with keys, in this order. */
function typing(answers: readonly (readonly [question: string, keys: string])[]) {
  const [input, output] = [new PassThrough(), new PassThrough()]
  // The library ends what it writes to after each question, except standard output and standard error.
  output.end = () => output
  const stop = new AbortController()
  const waiting = [...answers]
  let shown = ''
  let all = ''
  let last: string | undefined
  output.on('data', (chunk) => {
    shown += String(chunk)
    all += String(chunk)
    const [next] = waiting
    if (!next || !openPart(shown, next[0] === last).includes(next[0])) return
    last = next[0]
    waiting.shift()
    shown = ''
    // The library draws a question before it listens to keys.
    setImmediate(() => input.write(next[1]))
  })
  return {
    asker: createAsker({ input, output, signal: stop.signal }),
    input,
    stop,
    waiting,
    text: () => all,
  }
}

function givenOf(role: Neuron, flags: Record<string, string> = {}): Given {
  const { values, origins } = resolveSettings(role, { flags, env: {} })
  return { role, settings: values, has: (name) => origins[name]?.kind === 'flag' }
}

function depsOf(
  asker: SetupDeps['asker'],
  found: Awaited<ReturnType<SetupDeps['findHotkeys']>> = [],
): SetupDeps {
  const { signal } = new AbortController()
  return {
    asker,
    findHotkeys: async () => found,
    probeModels: (url, key) => probeModels(url, key, systemClock, signal),
  }
}

/** The settings as a neuron reads them from the written file. */
function readBack(role: Neuron, answers: Answers) {
  const text = writeSettings('env', role, answers)
  return resolveSettings(role, { flags: {}, env: {}, dotenvFiles: [{ path: '.env', text }] })
}

const KEYS = [
  { wallet: 'cold', hotkey: 'a', address: '5FakeAddressA' },
  { wallet: 'cold', hotkey: 'b', address: undefined },
]

describe('the questions of targon init', { timeout: 30_000 }, () => {
  it('asks for a miner, with a key only where a server wants one, and writes what a miner reads', async () => {
    const url = await startEngine({ apiKey: 'secret key' })
    const terminal = typing([
      ['What will run here?', ENTER],
      ['Network', DOWN + ENTER],
      ['Hotkey', DOWN + ENTER],
      ['Address of a vLLM server', `\u0015${url}${ENTER}`],
      ['Key of this server', `wrong${ENTER}`],
      ['Key of this server', `secret key${ENTER}`],
      ['Address of another one', ENTER],
      ['Port the miner listens on', `\u00159000${ENTER}`],
      ['Public IP address', `45.33.32.11${ENTER}`],
      ['Public port', ENTER],
    ])
    const role = await askRole(terminal.asker)
    const answers = await askAll(givenOf(role), depsOf(terminal.asker, KEYS))
    expect(terminal.waiting).toEqual([])
    expect(terminal.text()).toContain('cold/a  5FakeAddressA')
    expect(terminal.text()).toMatch(/refuses this key/)
    expect(terminal.text()).toContain(`It serves ${MODEL}`)
    expect(terminal.text()).not.toContain('secret key')
    const { values, warnings } = readBack('miner', answers)
    expect(warnings).toEqual([])
    expect(values).toMatchObject({
      'subtensor.network': 'test',
      'wallet.name': 'cold',
      'wallet.hotkey': 'b',
      'model-endpoint': [`${url}/v1`],
      'api-key': 'secret key',
      'axon.port': 9000,
      'axon.external_ip': '45.33.32.11',
      'axon.external_port': undefined,
    })
  })

  it('asks for a validator, and takes every model of its engines', async () => {
    const url = await startEngine({ models: [MODEL, 'targon-dev/small-b'] })
    const terminal = typing([
      ['Network', DOWN + DOWN + DOWN + ENTER],
      ['Address of the chain endpoint', ENTER],
      ['Name of the wallet', `\u0015mine${ENTER}`],
      ['Name of the hotkey', `\u0015h1${ENTER}`],
      ['Where do the reference engines run?', ENTER],
      ['Address of a vLLM server', `\u0015${url}/v1${ENTER}`],
      ['Address of another one', ENTER],
    ])
    const answers = await askAll(givenOf('validator'), depsOf(terminal.asker))
    expect(terminal.text()).toMatch(/created with: BT_WALLET=mine btcli wallet new-hotkey/)
    expect(readBack('validator', answers).values).toMatchObject({
      'subtensor.network': 'ws://127.0.0.1:9944',
      'wallet.name': 'mine',
      'engine.mode': 'endpoints',
      'engine.endpoints': [`${MODEL}=${url}`, `targon-dev/small-b=${url}`],
    })
  })

  const hubFlags = { 'subtensor.network': 'local', 'wallet.name': 'cold', 'wallet.hotkey': 'a' }

  it('asks for a hub behind a proxy with keys in PostgreSQL, whose address it does not show', async () => {
    const terminal = typing([
      ['What will run here?', DOWN + DOWN + ENTER],
      ['Port of the API', `\u00158443${ENTER}`],
      ['How do users reach the hub?', ENTER],
      ['Where are keys and usage kept?', DOWN + ENTER],
      ['Address: postgres://', `127.0.0.1${ENTER}`],
      ['Address: postgres://', `postgres://targon:top-secret@db/targon${ENTER}`],
    ])
    const role = await askRole(terminal.asker)
    const answers = await askAll(givenOf(role, hubFlags), depsOf(terminal.asker, KEYS))
    expect(terminal.waiting).toEqual([])
    expect(terminal.text()).not.toContain('top-secret')
    expect(readBack('hub', answers).values).toMatchObject({
      'hub.port': 8443,
      'hub.ip': '127.0.0.1',
      'hub.trusted-proxies': ['127.0.0.1', '::1'],
      'database.url': 'postgres://targon:top-secret@db/targon',
    })
  })

  it('asks for the certificate of a hub that users reach directly', async () => {
    const terminal = typing([
      ['Port of the API', ENTER],
      ['How do users reach the hub?', DOWN + ENTER],
      ['Address to listen on', ENTER],
      ['File of the certificate chain', `/etc/tls/chain.pem${ENTER}`],
      ['File of its private key', `/etc/tls/key.pem${ENTER}`],
      ['Where are keys and usage kept?', ENTER],
    ])
    const answers = await askAll(givenOf('hub', hubFlags), depsOf(terminal.asker, KEYS))
    expect(Object.fromEntries(answers)).toEqual({
      ...hubFlags,
      'hub.port': 8080,
      'hub.ip': '0.0.0.0',
      'hub.tls-cert': '/etc/tls/chain.pem',
      'hub.tls-key': '/etc/tls/key.pem',
    })
  })

  it('asks only for what no flag answers', async () => {
    const terminal = typing([['Public IP address', ENTER]])
    const flags = {
      ...{ 'subtensor.network': 'local', 'wallet.name': 'cold', 'wallet.hotkey': 'a' },
      ...{ 'model-endpoint': 'http://10.0.0.9:8000/v1', 'axon.port': '8091', 'axon.external_port': '8091' },
    }
    const answers = await askAll(givenOf('miner', flags), depsOf(terminal.asker, KEYS))
    expect(Object.fromEntries(answers)).toEqual({
      'subtensor.network': 'local',
      'wallet.name': 'cold',
      'wallet.hotkey': 'a',
      'model-endpoint': ['http://10.0.0.9:8000/v1'],
      'axon.port': 8091,
    })
  })

  it('keeps servers with keys of their own apart, and drops one that does not answer', async () => {
    const [first, second] = [await startEngine({ apiKey: 'one' }), await startEngine()]
    const silent = `http://127.0.0.1:${await freePort()}`
    const terminal = typing([
      ['Address of a vLLM server', `\u0015${silent}${ENTER}`],
      ['Keep it anyway?', ENTER],
      ['Address of a vLLM server', `\u0015${first}${ENTER}`],
      ['Key of this server', `one${ENTER}`],
      ['Address of another one', `${second}${ENTER}`],
      ['Address of another one', `${second}${ENTER}`],
      ['Address of another one', ENTER],
      ['Port the miner', ENTER],
      ['Public IP', ENTER],
      ['Public port', ENTER],
    ])
    const flags = { 'subtensor.network': 'local', 'wallet.name': 'cold', 'wallet.hotkey': 'a' }
    const answers = await askAll(givenOf('miner', flags), depsOf(terminal.asker, KEYS))
    expect(terminal.text()).toMatch(/cannot be used now: .*ECONNREFUSED/)
    expect(terminal.text()).toMatch(/in the list already/)
    expect(readBack('miner', answers).values).toHaveProperty('upstreams', [
      { url: `${first}/v1`, apiKey: 'one' },
      { url: `${second}/v1` },
    ])
  })

  it('says that a server returns no token ids, and refuses what is no address or port', async () => {
    const url = await startEngine({ returnTokensAsTokenIds: false })
    const terminal = typing([
      ['Address of a vLLM server', `\u0015not an address${ENTER}`],
      ['Type an address like', `\u0015${url}${ENTER}`],
      ['Address of another one', ENTER],
      ['Port the miner', `\u001570000${ENTER}`],
      ['Type a number from 1 to 65535', `\u00158091${ENTER}`],
      ['Public IP', ENTER],
      ['Public port', ENTER],
    ])
    const flags = { 'subtensor.network': 'local', 'wallet.name': 'cold', 'wallet.hotkey': 'a' }
    const answers = await askAll(givenOf('miner', flags), depsOf(terminal.asker, KEYS))
    expect(terminal.text()).toMatch(/--return-tokens-as-token-ids/)
    expect(answers.get('axon.port')).toBe(8091)
  })

  it('stops at a question when the operator presses Ctrl-C', async () => {
    const terminal = typing([['What will run here?', '\u0003']])
    await expect(askRole(terminal.asker)).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('names every answer that is missing where there is no terminal', () => {
    expect(() => answersGiven(givenOf('miner'))).toThrow(/--wallet\.name, --wallet\.hotkey, --model-endpoint/)
    expect(() => answersGiven(givenOf('validator', { 'wallet.name': 'a' }))).toThrow(
      /--wallet\.hotkey, --engine\.endpoints \(or --engine\.mode docker\)/,
    )
    const flags = { 'wallet.name': 'a', 'wallet.hotkey': 'b', 'engine.mode': 'docker' }
    expect(Object.fromEntries(answersGiven(givenOf('validator', flags)))).toEqual(flags)
  })
})
