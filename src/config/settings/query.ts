import { axonValue, integerValue, numberValue, optionalText, switchValue } from '../schemas.js'
import { type Role, setting } from '../setting.js'

const roles: readonly Role[] = ['query']

export const querySettings = {
  uid: setting({
    kind: 'integer',
    schema: integerValue(0, 65535).optional(),
    default: undefined,
    defaultText: 'any that serves the model',
    group: 'QUERY',
    roles,
    help: 'Ask the miner with this uid.',
  }),
  hotkey: setting({
    kind: 'text',
    schema: optionalText,
    default: undefined,
    group: 'QUERY',
    roles,
    help: 'Ask the miner with this hotkey; with --axon, the hotkey the request is signed for.',
  }),
  axon: setting({
    kind: 'text',
    schema: axonValue.optional(),
    default: undefined,
    group: 'QUERY',
    roles,
    help: 'Ask the miner at this ip:port.',
  }),
  model: setting({
    kind: 'text',
    schema: optionalText,
    default: undefined,
    defaultText: 'the one most of the miners asked serve',
    group: 'QUERY',
    roles,
    help: 'Model to ask.',
  }),
  system: setting({
    kind: 'text',
    schema: optionalText,
    default: undefined,
    group: 'QUERY',
    roles,
    help: 'System message.',
  }),
  'max-tokens': setting({
    kind: 'integer',
    schema: integerValue(1, 1_000_000),
    default: 512,
    group: 'QUERY',
    roles,
    help: 'Most tokens to generate.',
  }),
  temperature: setting({
    kind: 'number',
    schema: numberValue(0, 2),
    default: 0.7,
    group: 'QUERY',
    roles,
    help: 'Sampling temperature.',
  }),
  completion: setting({
    kind: 'switch',
    schema: switchValue,
    default: false,
    group: 'QUERY',
    roles,
    help: 'Send the prompt as a plain completion instead of a chat.',
  }),
  verify: setting({
    kind: 'switch',
    schema: switchValue,
    default: false,
    group: 'QUERY',
    roles,
    help: 'Judge the answer with a reference engine (--engine.endpoints).',
  }),
  'query-timeout': setting({
    kind: 'integer',
    schema: integerValue(1, 3600),
    default: 120,
    group: 'QUERY',
    roles,
    help: 'Seconds the whole answer may take.',
  }),
} as const
