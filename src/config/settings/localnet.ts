import { z } from 'zod'
import { duration } from '../duration.js'
import { integerValue, listValue, optionalText, portValue, switchValue } from '../schemas.js'
import { settingIn } from '../setting.js'

const localnet = settingIn('LOCALNET', ['localnet'])

export const localnetSettings = {
  epochs: localnet({
    kind: 'integer',
    schema: integerValue(1, 1_000_000).optional(),
    default: undefined,
    defaultText: 'until Ctrl-C on a terminal, otherwise 2',
    help: 'Epochs to run before the final table.',
  }),
  only: localnet({
    kind: 'list',
    schema: listValue.pipe(z.array(z.enum(['chain', 'engine']))),
    default: [],
    defaultText: 'everything',
    options: ['chain', 'engine'],
    help: 'Run only these parts and print their endpoints; start the roles in other terminals.',
  }),
  cheats: localnet({
    kind: 'list',
    schema: listValue,
    default: [],
    defaultText: 'those that are always there',
    help: 'Up to eight further miners that cheat in these ways, for example int4, rescored, cooler, no-system-prompt, truncated-prompt, draft, one-in-ten, turncoat; docs/development/development-engine.md lists all.',
  }),
  miners: localnet({
    kind: 'list',
    schema: listValue,
    default: [],
    defaultText: 'all nine',
    help: 'Starts only these of the nine miners, by their names on the board, for example honest-fast,cheat-int4, so that a small machine runs fewer processes. --cheats and --hub still add theirs.',
  }),
  hub: localnet({
    kind: 'switch',
    schema: switchValue,
    default: false,
    help: 'Also run a hub with users that ask it, and a miner that is honest to the validator and answers users with another model.',
  }),
  dir: localnet({
    kind: 'path',
    schema: optionalText,
    default: undefined,
    defaultText: 'a temporary folder',
    help: 'Folder for wallets and state; kept if given.',
  }),
  'chain.port': localnet({
    kind: 'integer',
    schema: portValue.optional(),
    default: undefined,
    defaultText: '9944 with --only, otherwise a free port',
    help: 'Port of the development chain.',
  }),
  'chain.block-time': localnet({
    ...duration({ unit: 'ms', min: 50, max: 60_000, default: 1000 }),
    help: 'Milliseconds between blocks.',
  }),
  'chain.tempo': localnet({
    kind: 'integer',
    schema: integerValue(5, 10_000),
    default: 30,
    unit: 'blocks',
    help: 'Blocks per epoch.',
  }),
  'engine.port': localnet({
    kind: 'integer',
    schema: portValue.optional(),
    default: undefined,
    defaultText: '8000 with --only, otherwise a free port',
    help: 'Port of the first development engine; the others use the ports after it.',
  }),
  'engine.serve': localnet({
    kind: 'list',
    schema: z
      .union([z.array(z.string()), z.string()])
      .transform((value) =>
        Array.isArray(value) ? value : value.split(/[;\s]+/).filter((item) => item !== ''),
      ),
    default: [],
    defaultText: 'one honest engine with every model',
    help: 'Development engine to run with --only engine, repeatable: behaviour[@tokens-per-second]=model[,model].',
  }),
} as const
