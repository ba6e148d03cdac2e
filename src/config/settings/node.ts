import { z } from 'zod'
import { duration } from '../duration.js'
import {
  axonValue,
  integerValue,
  listOf,
  optionalText,
  portValue,
  switchValue,
  textValue,
} from '../schemas.js'
import { type Role, settingIn } from '../setting.js'

const neurons: readonly Role[] = ['miner', 'validator']
/** Roles that run until they are stopped, with a state folder, a log and a status server. */
const servers: readonly Role[] = [...neurons, 'hub']
const clients: readonly Role[] = [...neurons, 'query']

const chain = settingIn('CHAIN', [...clients, 'hub'])
const wallet = settingIn('WALLET', [...clients, 'hub'])
const logging = settingIn('LOGGING', servers)
const verbosity = settingIn('LOGGING', [...clients, 'hub', 'miner check', 'verify'])
const process = settingIn('PROCESS', servers)
const update = settingIn('UPDATE', servers)

/** Must match chain/networks.ts, which config/ does not import. */
const NETWORK_NAMES = ['finney', 'test', 'archive', 'devnet', 'local']

function isChainEndpoint(text: string): boolean {
  return /^wss?:\/\/[^\s/]+/.test(text) && URL.canParse(text)
}

/** The word with which the Python SDK turns fallbacks off; as a setting it is an empty list. */
const NO_FALLBACKS = 'none'
const fallbackValue = listOf(
  (item) => item === NO_FALLBACKS || isChainEndpoint(item),
  'must be ws://host:port or wss://host:port, or none',
).transform((items) => items.filter((item) => item !== NO_FALLBACKS))

/** From nothing to everything. */
const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug', 'trace'] as const

/** Settings of both neurons: chain, wallet, logging, process. */
export const nodeSettings = {
  netuid: chain({
    kind: 'integer',
    schema: integerValue(0, 65535),
    default: 4,
    help: 'Netuid of the subnet.',
  }),
  'subtensor.network': chain({
    kind: 'text',
    schema: z
      .string()
      .refine(
        (text) => NETWORK_NAMES.includes(text.toLowerCase()) || isChainEndpoint(text),
        `must be ${NETWORK_NAMES.join(', ')}, or a ws:// or wss:// address`,
      ),
    words: NETWORK_NAMES,
    default: 'finney',
    variables: ['BT_SUBTENSOR_NETWORK', 'BT_NETWORK'],
    help: 'Network name (finney, test, archive, devnet, local) or a ws:// or wss:// address.',
  }),
  'subtensor.chain_endpoint': chain({
    kind: 'list',
    schema: listOf(isChainEndpoint, 'must be ws://host:port or wss://host:port'),
    default: [],
    defaultText: 'the endpoints of the network',
    variables: ['BT_SUBTENSOR_CHAIN_ENDPOINT', 'BT_CHAIN_ENDPOINT'],
    help: 'Chain endpoints to use instead of the defaults of the network, tried in order.',
  }),
  'subtensor.fallback_endpoints': chain({
    kind: 'list',
    schema: fallbackValue.optional(),
    default: undefined,
    defaultText: 'the other endpoints of the network',
    variables: ['BT_FALLBACK_ENDPOINTS'],
    help: 'Chain endpoints to try when the first one cannot be reached, or none.',
  }),
  'wallet.name': wallet({
    kind: 'text',
    schema: textValue,
    default: 'default',
    variables: ['BT_WALLET_NAME', 'BT_WALLET'],
    help: 'Name of the wallet (coldkey).',
  }),
  'wallet.hotkey': wallet({
    kind: 'text',
    schema: textValue,
    default: 'default',
    variables: ['BT_WALLET_HOTKEY'],
    help: 'Name of the hotkey in the wallet.',
  }),
  'wallet.path': wallet({
    kind: 'path',
    schema: textValue,
    default: '~/.bittensor/wallets',
    variables: ['BT_WALLET_PATH'],
    help: 'Folder that contains the wallets.',
  }),
  'wallet.password_file': wallet({
    kind: 'path',
    schema: optionalText,
    default: undefined,
    help: 'File with the password of an encrypted hotkey (mode 0600).',
  }),
  'logging.level': verbosity({
    kind: 'text',
    schema: z.enum(LOG_LEVELS),
    default: 'info',
    options: LOG_LEVELS,
    help: 'How much is logged; debug and trace include stack traces.',
  }),
  'logging.debug': verbosity({
    kind: 'switch',
    schema: switchValue,
    default: false,
    variables: ['BT_LOGGING_DEBUG'],
    help: 'The same as logging.level debug, which wins unless this comes from a stronger source.',
  }),
  'logging.trace': verbosity({
    kind: 'switch',
    schema: switchValue,
    default: false,
    variables: ['BT_LOGGING_TRACE'],
    help: 'The same as logging.level trace, which wins unless this comes from a stronger source.',
  }),
  'logging.info': verbosity({
    kind: 'switch',
    schema: switchValue,
    default: true,
    variables: ['BT_LOGGING_INFO'],
    help: 'Off is the same as logging.level warn, which wins unless this comes from a stronger source.',
  }),
  'logging.record_log': logging({
    kind: 'switch',
    schema: switchValue,
    default: false,
    variables: ['BT_LOGGING_RECORD_LOG'],
    help: 'Also write the log to a file in the state folder.',
  }),
  'logging.logging_dir': logging({
    kind: 'path',
    schema: textValue,
    default: '~/.bittensor/miners',
    variables: ['BT_LOGGING_LOGGING_DIR'],
    help: 'Folder for the state of neurons: <dir>/<wallet>/<hotkey>/netuid<N>/<neuron.name>.',
  }),
  'neuron.name': process({
    kind: 'text',
    schema: optionalText,
    default: undefined,
    defaultText: 'the role',
    help: 'Name of the state folder of this neuron.',
  }),
  'metrics.port': process({
    kind: 'integer',
    schema: portValue,
    default: 9100,
    defaultOf: { validator: 9101, hub: 9102 },
    help: 'Port on 127.0.0.1 for /livez, /readyz, /metrics and /status; 0 picks a free port.',
  }),
  'metrics.listen': process({
    kind: 'text',
    schema: axonValue.optional(),
    default: undefined,
    help: 'Also serve /livez, /readyz and /metrics, and nothing else, on this ip:port, for a scraper or probes from another machine.',
  }),
  'metrics.genai': process({
    kind: 'switch',
    schema: switchValue,
    default: false,
    help: 'Also export the metrics of inference under the names of the OpenTelemetry GenAI conventions (gen_ai_*).',
  }),
  'drain-timeout': process({
    ...duration({ unit: 's', min: 0, max: 600, default: 15 }),
    help: 'Seconds for work in flight to finish after SIGTERM.',
  }),
  'autoupdate-off': update({
    kind: 'switch',
    schema: switchValue,
    default: false,
    deprecatedVariables: ['NO_AUTO_UPDATE'],
    inverseVariables: ['AUTO_UPDATE'],
    anySource: true,
    help: 'Turn automatic updates off; AUTO_UPDATE=false does the same, and one "off" from any source is enough.',
  }),
  mock: process({
    kind: 'switch',
    schema: switchValue,
    default: false,
    aliases: ['subtensor._mock'],
    help: 'Run in an embedded development network on this machine.',
  }),
  strict: process({
    kind: 'switch',
    schema: switchValue,
    default: false,
    roles: clients,
    hidden: true,
    ineffective: true,
    help: 'Accepted for compatibility with the SDK; unknown flags are always errors.',
  }),
  no_version_checking: process({
    kind: 'switch',
    schema: switchValue,
    default: false,
    roles: clients,
    hidden: true,
    ineffective: true,
    help: 'Accepted for compatibility with the SDK; no version check is done at startup.',
  }),
  'exit-with-stdin': process({
    kind: 'switch',
    schema: switchValue,
    default: false,
    roles: [...servers, 'localnet'],
    hidden: true,
    help: 'Stop when standard input closes, so that the process does not outlive its parent.',
  }),
} as const
