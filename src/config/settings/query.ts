import { duration } from '../duration.js'
import { axonValue, integerValue, numberValue, optionalText, switchValue } from '../schemas.js'
import { settingIn } from '../setting.js'

const query = settingIn('QUERY', ['query'])

export const querySettings = {
  uid: query({
    kind: 'integer',
    schema: integerValue(0, 65535).optional(),
    default: undefined,
    defaultText: 'any that serves the model',
    help: 'Query the miner with this uid.',
  }),
  hotkey: query({
    kind: 'text',
    schema: optionalText,
    default: undefined,
    help: 'Query the miner with this hotkey; with --axon, the hotkey the request is signed for.',
  }),
  axon: query({
    kind: 'text',
    schema: axonValue.optional(),
    default: undefined,
    help: 'Query the miner at this ip:port.',
  }),
  model: query({
    kind: 'text',
    schema: optionalText,
    default: undefined,
    defaultText: 'the one served by most of the queried miners',
    help: 'Model to query.',
  }),
  system: query({
    kind: 'text',
    schema: optionalText,
    default: undefined,
    help: 'System message.',
  }),
  'max-tokens': query({
    kind: 'integer',
    schema: integerValue(1, 1_000_000),
    default: 512,
    unit: 'tokens',
    help: 'Maximum number of tokens to generate.',
  }),
  temperature: query({
    kind: 'number',
    schema: numberValue(0, 2),
    default: 0.7,
    help: 'Sampling temperature.',
  }),
  completion: query({
    kind: 'switch',
    schema: switchValue,
    default: false,
    help: 'Send the prompt as a completion instead of a chat message.',
  }),
  verify: query({
    kind: 'switch',
    schema: switchValue,
    default: false,
    help: 'Verify the answer with a reference engine (--engine.endpoints).',
  }),
  'query-timeout': query({
    ...duration({ unit: 's', min: 1, max: 3600, default: 120 }),
    help: 'Maximum duration of the whole answer, in seconds.',
  }),
} as const
