import { z } from 'zod'
import { duration } from '../duration.js'
import { keyValue, secretAddress } from '../schemas.js'
import { settingIn } from '../setting.js'

const alert = settingIn('ALERT', ['miner', 'validator', 'hub'])

/** Must match alerts/message.ts, which config/ does not import. */
const FORMATS = ['json', 'slack', 'discord'] as const

function isWebhook(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, username, password } = new URL(text)
  return /^https?:$/.test(protocol) && username === '' && password === ''
}

/** Messages to the operator. */
export const alertSettings = {
  'alert.webhook': alert({
    kind: 'text',
    schema: secretAddress
      .refine(isWebhook, 'must be an http or https address without a user name; put a token in alert.secret')
      .optional(),
    default: undefined,
    secret: true,
    help: 'Address that is sent a message when an alert is raised or resolved; use the environment variable or the config file, because the addresses of Slack and Discord are secret.',
  }),
  'alert.secret': alert({
    kind: 'text',
    schema: keyValue.optional(),
    default: undefined,
    secret: true,
    help: 'Token that is sent to the webhook in the Authorization header; use the environment variable or the config file.',
  }),
  'alert.format': alert({
    kind: 'text',
    schema: z.enum(FORMATS).optional(),
    default: undefined,
    defaultText: 'slack or discord for their hosts, otherwise json',
    options: FORMATS,
    help: 'Format of the messages.',
  }),
  'alert.idle': alert({
    ...duration({ unit: 's', min: 60, max: 604_800, default: 1800 }),
    defaultOf: { hub: 21_600 },
    help: 'Seconds after which an alert is raised because no answer was verified (validator), because no validator asked anything (miner), or because no validator took users’ requests or reported on them (hub).',
  }),
  'alert.repeat': alert({
    ...duration({ unit: 's', min: 0, max: 2_592_000, default: 86_400 }),
    help: 'Seconds after which an alert that still stands is told again; 0 tells it once.',
  }),
} as const
