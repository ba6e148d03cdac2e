import { z } from 'zod'
import { duration } from '../duration.js'
import { integerValue, numberValue, rangeValue, secretAddress, switchValue, textValue } from '../schemas.js'
import { settingIn } from '../setting.js'

const validator = settingIn('VALIDATOR', ['validator'])

/** Rounds of a validator, its hub and its history. */
export const roundSettings = {
  'hub.url': validator({
    kind: 'text',
    schema: textValue,
    default: 'https://jugo.targon.com',
    help: 'Hub that receives statistics and sends organics, or off.',
  }),
  'hub.withhold-scores': validator({
    kind: 'switch',
    schema: switchValue,
    default: false,
    help: 'Send scores to the hub only after the weights computed from them are on chain.',
  }),
  'hub.max-speed-ratio': validator({
    kind: 'number',
    schema: numberValue(0, 100),
    default: 1.5,
    help: 'How many times what this validator’s own rounds show of a miner its organic answers may count; what the hub reports beyond that is ignored. Without effect with --scoring.rules targon-4.',
  }),
  'hub.max-penalty': validator({
    kind: 'number',
    schema: numberValue(0, 1),
    default: 0.1,
    help: 'Largest share of its score from this validator’s own rounds that a miner can lose in an epoch to failures which only the hub reports. Without effect with --scoring.rules targon-4.',
  }),
  history: validator({
    kind: 'switch',
    schema: switchValue,
    default: true,
    help: 'Store every result in a database, for reports.',
  }),
  'history.retention': validator({
    ...duration({ unit: 'd', min: 1, max: 3650, default: 30 }),
    help: 'Days to keep results in the database.',
  }),
  'database.url': validator({
    kind: 'text',
    schema: secretAddress.optional(),
    default: undefined,
    defaultText: 'SQLite, in the state folder',
    roles: ['validator', 'hub'],
    secret: true,
    help: 'Postgres URL for the history, postgres://user:password@host/name; prefer the environment variable. PgBouncer and other poolers may stand in front.',
    helpOf: {
      hub: 'Postgres URL for keys and usage, postgres://user:password@host/name, shared by all replicas of the hub; prefer the environment variable.',
    },
  }),
  'round.size': validator({
    kind: 'integer',
    schema: integerValue(1, 256),
    default: 37,
    help: 'Maximum number of miners queried per round.',
  }),
  'round.max-tokens': validator({
    kind: 'text',
    schema: rangeValue,
    default: { min: 512, max: 1920 },
    unit: 'tokens',
    defaultText: '512-1920',
    help: 'Range of max_tokens in the validator’s prompts.',
  }),
  'round.models': validator({
    kind: 'text',
    schema: z.enum(['random', 'in-turn']),
    default: 'random',
    options: ['random', 'in-turn'],
    help: 'How a round picks its model.',
  }),
  'round.hard-cap': validator({
    ...duration({ unit: 's', min: 1, max: 3600, default: 300 }),
    help: 'Seconds after which an answer that is still streaming is cut off.',
  }),
  'round.stall-limit': validator({
    ...duration({ unit: 'ms', min: 1, max: 86_400_000, default: 50 }),
    help: 'Milliseconds the event loop may block at the moment an answer ends; a longer stall voids its speed, unless it is less than 1 % of the time the answer took.',
  }),
  'round.thread': validator({
    kind: 'switch',
    schema: switchValue,
    default: true,
    help: 'Receive and time answers on a separate thread.',
  }),
  'round.greedy-share': validator({
    kind: 'number',
    schema: numberValue(0, 1),
    default: 0.2,
    help: 'Share of the validator’s own requests with temperature 0, whose tokens depend on no sampler. Without effect with --round.parity.',
  }),
  'round.parity': validator({
    kind: 'switch',
    schema: switchValue,
    default: false,
    help: 'Send all miners of a round the same prompt and seed in the form of 4.4.1: its wording and ranges, and no top_p, top_k, min_p or penalties, which the miners’ servers then choose.',
  }),
  'round.pause': validator({
    ...duration({ unit: 'ms', min: 0, max: 86_400_000, default: 0 }),
    hidden: true,
    help: 'Milliseconds between rounds.',
  }),
} as const
