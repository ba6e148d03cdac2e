import { z } from 'zod'
import { integerValue, listOf, optionalText, switchValue } from '../schemas.js'
import { type Role, setting } from '../setting.js'

const roles: readonly Role[] = ['miner']

const isHttp = (text: string) => /^https?:\/\/[^\s/]/.test(text) && URL.canParse(text)

const address = z
  .string()
  .regex(/^https?:\/\//, 'must start with http:// or https://')
  .transform((text) => text.replace(/\/+$/, ''))

/** One model server of the `upstreams` section. */
const upstream = z.strictObject({
  url: address,
  apiKey: z.string().min(1).optional(),
  weight: z.number().positive().max(1000).optional(),
  maxInFlight: z.number().int().min(1).max(100_000).optional(),
  models: z.array(z.string().min(1)).optional(),
  aliases: z.record(z.string().min(1), z.string().min(1)).optional(),
})

/** An array in the config file, its JSON text in a variable. */
const upstreamList = z.union([
  z.array(upstream),
  z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text)
      } catch {
        context.addIssue('must be a JSON array of upstreams')
        return z.NEVER
      }
    })
    .pipe(z.array(upstream)),
])

const seconds = (help: string, byDefault: number, highest = 86_400) =>
  setting({
    kind: 'integer',
    schema: integerValue(1, highest),
    default: byDefault,
    group: 'ROUTING',
    roles,
    help,
  })

/** Where requests go and how long anything may take on the way. */
export const routingSettings = {
  'model-endpoint': setting({
    kind: 'list',
    schema: listOf(isHttp, 'must start with http:// or https://'),
    default: ['http://127.0.0.1:8000/v1'],
    group: 'ROUTING',
    roles,
    help: 'OpenAI-compatible servers to serve from, models are discovered.',
  }),
  'api-key': setting({
    kind: 'text',
    schema: optionalText,
    default: undefined,
    group: 'ROUTING',
    roles,
    secret: true,
    aliases: ['api_key'],
    help: 'Bearer key of the model servers; better given by the variable.',
  }),
  upstreams: setting({
    kind: 'text',
    schema: upstreamList,
    default: [],
    defaultText: 'those of model-endpoint',
    group: 'ROUTING',
    roles,
    secret: true,
    help: 'Model servers with key, weight, maxInFlight, models and aliases each, as JSON; best in the config file.',
  }),
  'routing.max-in-flight': setting({
    kind: 'integer',
    schema: integerValue(1, 100_000),
    default: 256,
    group: 'ROUTING',
    roles,
    help: 'Requests at one model server at once, unless its entry says otherwise.',
  }),
  'routing.first-byte-timeout': seconds('Seconds to the first byte of a streamed answer.', 60),
  'routing.gap-timeout': seconds('Longest silence in seconds within an answer.', 30),
  'routing.total-timeout': seconds('Longest answer in seconds.', 300),
  'routing.reader-timeout': seconds('Seconds a caller may read nothing while data waits for it.', 10),
  'routing.queue-length': setting({
    kind: 'integer',
    schema: integerValue(0, 10_000),
    default: 32,
    group: 'ROUTING',
    roles,
    help: 'Requests that may wait while all servers of a model are full.',
  }),
  'routing.queue-timeout': seconds('Longest wait in seconds for a free server.', 2, 600),
  'routing.refresh': seconds('Seconds between two looks at the models and health of a server.', 10, 3600),
  'routing.add-token-ids': setting({
    kind: 'switch',
    schema: switchValue,
    default: false,
    group: 'ROUTING',
    roles,
    help: 'Ask the server for token ids in each request where it needs to be asked; re-writes the body.',
  }),
} as const
