import { z } from 'zod'
import { integerValue, listValue, optionalText, portValue } from '../schemas.js'
import { type Role, setting } from '../setting.js'

const roles: readonly Role[] = ['localnet']

export const localnetSettings = {
  epochs: setting({
    kind: 'integer',
    schema: integerValue(1, 1_000_000).optional(),
    default: undefined,
    defaultText: 'until Ctrl-C on a terminal, else 2',
    group: 'LOCALNET',
    roles,
    help: 'Epochs to run before the final table.',
  }),
  only: setting({
    kind: 'list',
    schema: listValue.pipe(z.array(z.enum(['chain', 'engine']))),
    default: [],
    defaultText: 'everything',
    options: ['chain', 'engine'],
    group: 'LOCALNET',
    roles,
    help: 'Run just these parts and print their endpoints; the roles run apart, in other terminals.',
  }),
  dir: setting({
    kind: 'path',
    schema: optionalText,
    default: undefined,
    defaultText: 'a temporary one',
    group: 'LOCALNET',
    roles,
    help: 'Folder for wallets and state; kept when given.',
  }),
  'chain.port': setting({
    kind: 'integer',
    schema: portValue.optional(),
    default: undefined,
    defaultText: '9944 with --only, else a free one',
    group: 'LOCALNET',
    roles,
    help: 'Port of the development chain.',
  }),
  'chain.block-time': setting({
    kind: 'integer',
    schema: integerValue(50, 60_000),
    default: 1000,
    group: 'LOCALNET',
    roles,
    help: 'Milliseconds between two blocks.',
  }),
  'chain.tempo': setting({
    kind: 'integer',
    schema: integerValue(5, 10_000),
    default: 30,
    group: 'LOCALNET',
    roles,
    help: 'Blocks of an epoch.',
  }),
  'engine.port': setting({
    kind: 'integer',
    schema: portValue.optional(),
    default: undefined,
    defaultText: '8000 with --only, else a free one',
    group: 'LOCALNET',
    roles,
    help: 'Port of the first development engine; further ones take the next ports.',
  }),
  'engine.serve': setting({
    kind: 'list',
    schema: z
      .union([z.array(z.string()), z.string()])
      .transform((value) =>
        Array.isArray(value) ? value : value.split(/[;\s]+/).filter((item) => item !== ''),
      ),
    default: [],
    defaultText: 'one honest engine with every model',
    group: 'LOCALNET',
    roles,
    help: 'Development engine to run with --only engine, repeated: behaviour[@tokens-per-second]=model[,model].',
  }),
} as const
