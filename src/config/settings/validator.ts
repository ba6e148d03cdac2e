import { z } from 'zod'
import { duration } from '../duration.js'
import { integerValue, numberValue, optionalText, switchValue, textValue } from '../schemas.js'
import { settingIn } from '../setting.js'
import { engineSettings } from './engine.js'
import { evidenceSettings } from './evidence.js'
import { roundSettings } from './round.js'

const validator = settingIn('VALIDATOR', ['validator'])

export const validatorSettings = {
  ...roundSettings,
  ...engineSettings,
  ...evidenceSettings,
  'epoch-length': validator({
    ignoredBy: ['miner'],
    kind: 'integer',
    schema: integerValue(1, 1_000_000),
    default: 360,
    unit: 'blocks',
    help: 'Blocks between weight updates.',
  }),
  'miner-timeout': validator({
    ...duration({ unit: 's', min: 1, max: 600, default: 12 }),
    aliases: ['timeout'],
    help: 'Seconds a miner has to send its first token after the request was written.',
  }),
  'vpermit-tao-limit': validator({
    kind: 'number',
    schema: numberValue(0, 1e12),
    default: 4096,
    unit: 'TAO',
    help: 'Stake in TAO above which neurons with a validator permit are not queried.',
  }),
  'cache-file': validator({
    kind: 'path',
    schema: textValue,
    default: 'cache.json',
    withinState: true,
    help: 'File of the score book, relative to the state folder.',
  }),
  'models.mode': validator({
    kind: 'text',
    schema: z.enum(['default', 'config', 'endpoint']),
    default: 'default',
    options: ['default', 'config', 'endpoint'],
    help: 'Which models are queried: the default one, those of models.file, or those of models.endpoint.',
  }),
  'models.file': validator({
    kind: 'path',
    schema: optionalText,
    default: undefined,
    defaultText: 'models.txt in the working directory, otherwise the bundled one',
    help: 'File with the models for mode config.',
  }),
  'models.endpoint': validator({
    kind: 'text',
    schema: textValue,
    default: 'https://targon.sybil.com/api/models',
    help: 'URL of the model list for mode endpoint, or off.',
  }),
  'dataset.url': validator({
    kind: 'path',
    schema: optionalText,
    default: undefined,
    defaultText: 'manifoldlabs/Infinity-Instruct, subset 7M, on the hub',
    words: ['off'],
    help: 'Questions for prompts: a Parquet file (URL or path) or the URL of a list of such files; off uses the bundled questions.',
  }),
  'verification.rules': validator({
    kind: 'text',
    schema: z.enum(['strict', 'targon-4']),
    default: 'strict',
    options: ['strict', 'targon-4'],
    roles: ['validator', 'query'],
    help: 'Rule set for verdicts; targon-4 reproduces 4.4.1.',
  }),
  'verification.burst': validator({
    kind: 'text',
    schema: z.union(
      [z.literal('off'), numberValue(0, 1_000_000)],
      'must be a number from 0 to 1000000, or off',
    ),
    default: 500,
    unit: 'tokens/s',
    roles: ['validator', 'query'],
    help: 'Least speed in tokens/s at which an answer that arrives in one burst at the end fails as generated beforehand (more for a model that is measured to be fast); 0 fails bursts at any speed (as 4.4.1), off disables the check.',
  }),
  'scoring.rules': validator({
    kind: 'text',
    schema: z.enum(['proportional', 'targon-4']),
    default: 'proportional',
    options: ['proportional', 'targon-4'],
    help: 'How scores become weights; targon-4 reproduces the min-max scaling of 4.4.1.',
  }),
  'i-am-alone': validator({
    kind: 'switch',
    schema: switchValue,
    default: false,
    help: 'Set weights immediately, without checking for a second validator; only if no other host runs a validator with this hotkey.',
  }),
  heartbeat: validator({
    kind: 'switch',
    schema: switchValue,
    default: false,
    variables: ['HEARTBEAT'],
    help: 'Exit with status 70 when the process hangs, so that a supervisor restarts it.',
  }),
  'allow-private-axons': validator({
    kind: 'switch',
    schema: switchValue,
    default: false,
    roles: ['validator', 'query', 'hub'],
    help: 'Query miners at private and loopback addresses; not allowed on finney.',
    helpOf: {
      query: 'Also query miners that announce private or loopback addresses.',
      hub: 'Also ask miners at private and loopback addresses; not allowed on finney.',
    },
  }),
  'is-testnet': validator({
    kind: 'switch',
    schema: switchValue,
    default: false,
    variables: ['IS_TESTNET'],
    help: 'Run without a validator permit.',
  }),
  seed: validator({
    kind: 'text',
    schema: optionalText,
    default: undefined,
    defaultText: 'random',
    defaultOf: { localnet: 'localnet' },
    roles: ['validator', 'query', 'hub', 'localnet', 'miner check'],
    help: 'Seed for reproducible prompts and choices.',
    helpOf: {
      query: 'Sampling seed of the request.',
      hub: 'Seed for reproducible choices of miners.',
      localnet: 'Seed for reproducible runs.',
    },
  }),
} as const
