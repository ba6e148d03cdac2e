import { duration } from '../duration.js'
import { integerValue, listValue, numberValue, optionalText, portValue, textValue } from '../schemas.js'
import { settingIn } from '../setting.js'

const hub = settingIn('HUB', ['hub'])

/** The gateway for users' requests: its port, the requests it takes, the miners it asks, the records it keeps. */
export const hubSettings = {
  'hub.port': hub({
    kind: 'integer',
    schema: portValue,
    default: 8080,
    help: 'Port of the API for users and validators; 0 picks a free port.',
  }),
  'hub.ip': hub({
    kind: 'text',
    schema: textValue,
    default: '127.0.0.1',
    help: 'Address the API listens on. Without hub.tls-cert keys and prompts travel unencrypted, so another address than loopback needs a proxy with TLS in front.',
  }),
  'hub.tls-cert': hub({
    kind: 'path',
    schema: optionalText,
    default: undefined,
    help: 'Certificate chain (PEM) with which the API is served over HTTPS; needs hub.tls-key.',
  }),
  'hub.tls-key': hub({
    kind: 'path',
    schema: optionalText,
    default: undefined,
    help: 'Private key (PEM) of hub.tls-cert.',
  }),
  'hub.trusted-proxies': hub({
    kind: 'list',
    schema: listValue,
    default: [],
    help: 'Addresses or networks of proxies whose X-Forwarded-For header is trusted for the user’s address.',
  }),
  'hub.max-body-bytes': hub({
    kind: 'integer',
    schema: integerValue(1024, 1 << 28),
    default: 4 << 20,
    unit: 'bytes',
    help: 'Maximum size of a request body, in bytes.',
  }),
  'hub.body-timeout': hub({
    ...duration({ unit: 's', min: 1, max: 600, default: 10 }),
    help: 'Seconds a user has to send a request.',
  }),
  'hub.max-tokens': hub({
    kind: 'integer',
    schema: integerValue(1, 1_000_000),
    default: 4096,
    unit: 'tokens',
    help: 'Largest max_tokens sent to a miner.',
  }),
  'hub.default-tokens': hub({
    kind: 'integer',
    schema: integerValue(1, 1_000_000),
    default: 1024,
    unit: 'tokens',
    help: 'The max_tokens of requests that name none, at most hub.max-tokens. Together with the prompt it must fit into the context of the served models.',
  }),
  'hub.max-in-flight': hub({
    kind: 'integer',
    schema: integerValue(1, 100_000),
    default: 1024,
    help: 'Maximum number of concurrent requests, all keys together; further ones get 503.',
  }),
  'hub.refresh': hub({
    ...duration({ unit: 's', min: 1, max: 3600, default: 60 }),
    help: 'Seconds between readings of the metagraph and of the models that miners serve.',
  }),
  'hub.attempts': hub({
    kind: 'integer',
    schema: integerValue(1, 10),
    default: 3,
    help: 'Maximum number of miners asked for one request; another one is asked only before the first byte has been sent to the user.',
  }),
  'hub.hedge-after': hub({
    ...duration({ unit: 'ms', min: 0, max: 600_000, default: 2000 }),
    help: 'Milliseconds without a first token after which a second miner is asked the same; the first to send a token answers. 0 turns this off.',
  }),
  'hub.first-token-timeout': hub({
    ...duration({ unit: 's', min: 1, max: 3600, default: 30 }),
    help: 'Seconds a miner has to send its first token.',
  }),
  'hub.gap-timeout': hub({
    ...duration({ unit: 's', min: 1, max: 3600, default: 15 }),
    help: 'Maximum pause within an answer, in seconds; also how long a user may stop reading.',
  }),
  'hub.total-timeout': hub({
    ...duration({ unit: 's', min: 1, max: 86_400, default: 600 }),
    help: 'Maximum duration of an answer, in seconds.',
  }),
  'hub.coldkey-share': hub({
    kind: 'number',
    schema: numberValue(0.01, 1),
    default: 1 / 3,
    defaultText: '1/3',
    help: 'Largest share of a model’s requests for the miners of one coldkey, while miners of enough other coldkeys serve it.',
  }),
  'hub.trickle': hub({
    kind: 'number',
    schema: numberValue(0, 0.5),
    default: 0.02,
    help: 'Share of a model’s requests for new miners all together: those without incentive on chain and without a verdict that a validator reported.',
  }),
  'hub.validators': hub({
    kind: 'list',
    schema: listValue,
    default: [],
    defaultText: 'those with a validator permit',
    help: 'Hotkeys (ss58) of the validators that may read organics and report verdicts.',
  }),
  'hub.retain': hub({
    ...duration({ unit: 's', min: 0, max: 2_592_000, default: 86_400 }),
    help: 'Seconds for which requests and answers are kept for validators; 0 keeps none.',
  }),
  'hub.retain-bytes': hub({
    kind: 'integer',
    schema: integerValue(1 << 20, 2 ** 40),
    default: 256 << 20,
    unit: 'bytes',
    help: 'Largest size of the requests and answers that are kept, in bytes; the oldest are dropped first.',
  }),
  'hub.retain-key-file': hub({
    kind: 'path',
    schema: optionalText,
    default: undefined,
    help: 'File (mode 0600) with a key of 32 bytes, in hexadecimal or base64, that encrypts kept requests and answers on disk (AES-256-GCM).',
  }),
  'hub.usage-retention': hub({
    ...duration({ unit: 'd', min: 0, max: 36_500, default: 400 }),
    help: 'Days for which the usage of keys by hour is kept; 0 keeps all of it. Budgets are counted apart and do not change.',
  }),
  'hub.bucket-size': hub({
    kind: 'integer',
    schema: integerValue(1, 10_000),
    default: 100,
    help: 'Largest number of answers in the bucket that validators are handed.',
  }),
  'hub.bucket-age': hub({
    ...duration({ unit: 's', min: 1, max: 86_400, default: 1200 }),
    help: 'Seconds for which every validator is handed the same bucket.',
  }),
} as const
