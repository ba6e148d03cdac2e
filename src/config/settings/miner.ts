import { z } from 'zod'
import { duration } from '../duration.js'
import {
  integerValue,
  listValue,
  numberValue,
  optionalText,
  portValue,
  secretAddress,
  switchValue,
  textValue,
} from '../schemas.js'
import { settingIn } from '../setting.js'
import { requestPolicySetting } from './request-policy.js'
import { routingSettings } from './routing.js'

const axon = settingIn('AXON', ['miner'])
const miner = settingIn('MINER', ['miner'])
const update = settingIn('UPDATE', ['miner', 'hub'])

/** Further processes would only wait for the primary process, which decides for all of them. */
const MAX_WORKERS = 64

const workerCount = z.union([
  z.number().int().min(1).max(MAX_WORKERS),
  z
    .string()
    .regex(/^(auto|[1-9]|[1-5]\d|6[0-4])$/, 'must be auto or a whole number from 1 to 64')
    .transform((text) => (text === 'auto' ? ('auto' as const) : Number(text))),
])

export const minerSettings = {
  'axon.port': axon({
    ignoredBy: ['validator'],
    kind: 'integer',
    schema: portValue,
    default: 8091,
    variables: ['BT_AXON_PORT'],
    help: 'Port the miner listens on.',
  }),
  'axon.ip': axon({
    ignoredBy: ['validator'],
    kind: 'text',
    schema: textValue,
    default: '0.0.0.0',
    variables: ['BT_AXON_IP'],
    help: 'Address the miner listens on; also announced if it is a specific address and axon.external_ip is not set.',
  }),
  'axon.external_ip': axon({
    ignoredBy: ['validator'],
    kind: 'text',
    schema: optionalText,
    default: undefined,
    defaultText: 'detected',
    variables: ['BT_AXON_EXTERNAL_IP'],
    help: 'Address to announce on chain.',
  }),
  'axon.external_port': axon({
    ignoredBy: ['validator'],
    kind: 'integer',
    schema: portValue.optional(),
    default: undefined,
    defaultText: 'axon.port',
    variables: ['BT_AXON_EXTERNAL_PORT'],
    help: 'Port to announce on chain.',
  }),
  'axon.announce': axon({
    kind: 'switch',
    schema: switchValue,
    default: true,
    help: 'Announce the address on chain; turn off if another replica announces it.',
  }),
  'axon.max_workers': axon({
    ignoredBy: ['validator'],
    kind: 'integer',
    schema: integerValue(1, 100_000),
    default: 10,
    hidden: true,
    ineffective: true,
    help: 'Accepted for compatibility; has no effect.',
  }),
  ...routingSettings,
  'no-force-validator-permit': miner({
    kind: 'switch',
    schema: switchValue,
    default: false,
    inverseAliases: ['force_validator.permit'],
    help: 'Also serve registered callers below the minimum stake.',
  }),
  'min-stake': miner({
    kind: 'number',
    schema: numberValue(0, 1e12),
    default: 10_000,
    unit: 'TAO',
    help: 'Minimum stake of a caller, in TAO.',
  }),
  'timestamp-window': miner({
    ...duration({ unit: 'ms', min: 1, max: 86_400_000, default: 8000 }),
    help: 'Milliseconds a request timestamp may lie in the past or the future.',
  }),
  'max-body-bytes': miner({
    kind: 'integer',
    schema: integerValue(1024, 1 << 30),
    default: 4 << 20,
    unit: 'bytes',
    help: 'Maximum size of a request body, in bytes.',
  }),
  ...requestPolicySetting,
  'max-in-flight': miner({
    kind: 'integer',
    schema: integerValue(1, 100_000),
    default: 256,
    help: 'Maximum number of concurrent requests, all callers together.',
  }),
  'max-in-flight-per-signer': miner({
    kind: 'integer',
    schema: integerValue(1, 100_000).optional(),
    default: undefined,
    defaultText: '8; with a validator permit three quarters of max-in-flight',
    help: 'Maximum number of concurrent requests per caller; further ones wait in the queue.',
  }),
  'axon.trusted-proxies': axon({
    kind: 'list',
    schema: listValue,
    default: [],
    help: 'Addresses or networks of proxies whose X-Forwarded-For header is trusted for the caller’s address.',
  }),
  'header-timeout': miner({
    ...duration({ unit: 's', min: 1, max: 600, default: 10 }),
    help: 'Seconds a caller has to send the request headers.',
  }),
  'body-timeout': miner({
    ...duration({ unit: 's', min: 1, max: 600, default: 10 }),
    help: 'Seconds a caller has to send the request body.',
  }),
  'max-failed-checks': miner({
    kind: 'integer',
    schema: integerValue(1, 100_000),
    default: 20,
    help: 'Failed signature checks allowed per second and address; further requests from that address are rejected.',
  }),
  'metagraph-refresh': miner({
    ...duration({ unit: 's', min: 1, max: 300, default: 300 }),
    help: 'Seconds between metagraph refreshes.',
  }),
  'replay.redis-url': miner({
    kind: 'text',
    schema: secretAddress.optional(),
    default: undefined,
    secret: true,
    help: 'Redis URL of a replay guard shared by replicas behind one load balancer; while Redis is unreachable, requests get 503 and the miner is not ready.',
  }),
  workers: miner({
    kind: 'text',
    schema: workerCount,
    default: 1,
    words: ['auto'],
    help: 'Processes that answer callers: a number, or auto for one per core. With 1 the miner answers them itself.',
  }),
  'signature-workers': miner({
    kind: 'integer',
    schema: integerValue(0, 64).optional(),
    default: undefined,
    defaultText: '1; with several workers 0',
    help: 'Threads that verify signatures, in each worker; with 0 the main thread verifies them.',
  }),
  autoupdate: update({
    kind: 'switch',
    schema: switchValue,
    default: false,
    help: 'Update this node automatically, unless autoupdate-off is set.',
  }),
} as const
