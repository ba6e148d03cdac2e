import { isIP } from 'node:net'
import type { SettingName } from '../config/index.js'
import type { Answers, Given, Neuron, SetupDeps } from './answers.js'
import type { Asker } from './asker.js'
import { askHub, portProblem } from './hub-questions.js'
import { answersMissing } from './refusals.js'
import { askEngines, askModelServers } from './server-questions.js'
import { askWallet } from './wallet-questions.js'

export async function askRole(asker: Asker): Promise<Neuron> {
  return await asker.choose<Neuron>('What will run here?', [
    { name: 'a miner: serves model servers to validators', value: 'miner' },
    { name: 'a validator: queries miners and sets weights', value: 'validator' },
    { name: 'a hub: answers users’ requests by miners', value: 'hub' },
  ])
}

/** Asks for what is not given. A given setting is an answer too. */
export async function askAll(given: Given, deps: SetupDeps): Promise<Answers> {
  const answers: Answers = new Map()
  await askNetwork(given, answers, deps.asker)
  await askWallet(given, answers, deps)
  if (isMiner(given)) {
    await askModelServers(given, answers, deps)
    await askAddress(given, answers, deps.asker)
  } else if (isValidator(given)) await askEngines(given, answers, deps)
  else if (isHub(given)) await askHub(given, answers, deps.asker)
  return answers
}

function isMiner(given: Given): given is Given<'miner'> {
  return given.role === 'miner'
}

function isValidator(given: Given): given is Given<'validator'> {
  return given.role === 'validator'
}

function isHub(given: Given): given is Given<'hub'> {
  return given.role === 'hub'
}

/** The answers of the command line alone. @throws TargonError SETUP_INCOMPLETE (usage) naming the flags that are missing */
export function answersGiven(given: Given): Answers {
  const missing = missingFlags(given)
  if (missing.length > 0) throw answersMissing(missing)
  const answers: Answers = new Map()
  for (const name of QUESTIONS[given.role]) {
    const value: unknown = Reflect.get(given.settings, name)
    if (given.has(name) && isAnswer(value)) answers.set(name, value)
  }
  return answers
}

/** Settings that are asked for, in the order of the file. */
const QUESTIONS: Readonly<Record<Neuron, readonly SettingName[]>> = {
  miner: [
    ...(['subtensor.network', 'subtensor.chain_endpoint', 'wallet.path', 'wallet.name'] as const),
    ...(['wallet.hotkey', 'model-endpoint', 'api-key', 'upstreams'] as const),
    ...(['axon.port', 'axon.external_ip', 'axon.external_port'] as const),
  ],
  validator: [
    ...(['subtensor.network', 'subtensor.chain_endpoint', 'wallet.path', 'wallet.name'] as const),
    ...(['wallet.hotkey', 'engine.mode', 'engine.endpoints', 'engine.api-key'] as const),
  ],
  hub: [
    ...(['subtensor.network', 'subtensor.chain_endpoint', 'wallet.path', 'wallet.name'] as const),
    ...(['wallet.hotkey', 'hub.port', 'hub.ip', 'hub.tls-cert', 'hub.tls-key'] as const),
    ...(['hub.trusted-proxies', 'database.url'] as const),
  ],
}

function missingFlags({ role, settings, has }: Given): readonly string[] {
  const missing = (['wallet.name', 'wallet.hotkey'] as const).filter((name) => !has(name))
  const flags = missing.map((name) => `--${name}`)
  if (role === 'hub') return flags
  if (role === 'miner')
    return has('model-endpoint') || has('upstreams') ? flags : [...flags, '--model-endpoint']
  const hasEngine =
    has('engine.endpoints') || ('engine.mode' in settings && settings['engine.mode'] === 'docker')
  return hasEngine ? flags : [...flags, '--engine.endpoints (or --engine.mode docker)']
}

/** Values of any setting that can stand in a file. */
export function isAnswer(value: unknown): value is string | number | boolean | readonly string[] {
  return ['string', 'number', 'boolean'].includes(typeof value) || Array.isArray(value)
}

const OWN_ENDPOINT = 'own'

async function askNetwork({ settings, has }: Given, answers: Answers, asker: Asker): Promise<void> {
  if (has('subtensor.network')) answers.set('subtensor.network', settings['subtensor.network'])
  if (has('subtensor.chain_endpoint'))
    answers.set('subtensor.chain_endpoint', settings['subtensor.chain_endpoint'])
  if (has('subtensor.network') || has('subtensor.chain_endpoint')) return
  const network = await asker.choose('Network', [
    { name: 'finney: the main network', value: 'finney' },
    { name: 'test: the test network', value: 'test' },
    { name: 'local: a node on this machine', value: 'local' },
    { name: 'an address of my own', value: OWN_ENDPOINT },
  ])
  answers.set('subtensor.network', network === OWN_ENDPOINT ? await askEndpoint(asker) : network)
}

async function askEndpoint(asker: Asker): Promise<string> {
  return await asker.type('Address of the chain endpoint', 'ws://127.0.0.1:9944', (text) =>
    /^wss?:\/\/[^\s/]+/.test(text) && URL.canParse(text)
      ? undefined
      : 'Type an address like wss://host:port.',
  )
}

/** Port and public address of a miner. */
async function askAddress({ settings, has }: Given<'miner'>, answers: Answers, asker: Asker): Promise<void> {
  const port = has('axon.port')
    ? String(settings['axon.port'])
    : await asker.type('Port the miner listens on', String(settings['axon.port']), portProblem)
  answers.set('axon.port', Number(port))
  const ip = has('axon.external_ip')
    ? settings['axon.external_ip']
    : await asker.type('Public IP address (empty: found at every start)', '', (text) =>
        text === '' || isIP(text) > 0 ? undefined : 'Type an IPv4 or IPv6 address.',
      )
  if (ip) answers.set('axon.external_ip', ip)
  // Port 0 is chosen anew at every start.
  if (port === '0') return
  const shown = has('axon.external_port')
    ? String(settings['axon.external_port'])
    : await asker.type('Public port, as others reach it', port, portProblem)
  if (shown !== port) answers.set('axon.external_port', Number(shown))
}
