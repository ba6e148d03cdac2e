import { z } from 'zod'
import { duration } from '../duration.js'
import { integerValue, keyValue, listOf, switchValue } from '../schemas.js'
import { settingIn } from '../setting.js'

const routing = settingIn('ROUTING', ['miner'])
const shared = settingIn('ROUTING', ['miner', 'miner check'])

const isHttp = (text: string) => /^https?:\/\/[^\s/]/.test(text) && URL.canParse(text)

const address = z
  .string()
  .regex(/^https?:\/\//, 'must start with http:// or https://')
  .transform((text) => text.replace(/\/+$/, ''))

/** One entry of `upstreams`. */
const upstream = z.strictObject({
  url: address,
  apiKey: keyValue.optional(),
  weight: z.number().positive().max(1000).optional(),
  maxInFlight: z.number().int().min(1).max(100_000).optional(),
  models: z.array(z.string().min(1)).optional(),
  aliases: z.record(z.string().min(1), z.string().min(1)).optional(),
})

/** An array in the config file, JSON text in a flag or variable. */
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

/** How a miner routes requests to model servers. */
export const routingSettings = {
  'model-endpoint': shared({
    kind: 'list',
    schema: listOf(isHttp, 'must start with http:// or https://'),
    default: ['http://127.0.0.1:8000/v1'],
    help: 'OpenAI-compatible model servers; their models are discovered.',
  }),
  'api-key': shared({
    kind: 'text',
    schema: keyValue.optional(),
    default: undefined,
    secret: true,
    aliases: ['api_key'],
    help: 'Bearer key of the model servers; prefer the environment variable.',
  }),
  upstreams: shared({
    kind: 'text',
    schema: upstreamList,
    default: [],
    defaultText: 'the servers of model-endpoint',
    secret: true,
    help: 'Model servers as a JSON array of {url, apiKey, weight, maxInFlight, models, aliases}; best set in the config file.',
  }),
  'routing.max-in-flight': shared({
    kind: 'integer',
    schema: integerValue(1, 100_000),
    default: 256,
    help: 'Maximum number of concurrent requests per model server, unless its upstreams entry sets maxInFlight.',
  }),
  'routing.first-byte-timeout': routing({
    ...duration({ unit: 's', min: 1, max: 86_400, default: 60 }),
    help: 'Seconds to the first byte of a streamed response.',
  }),
  'routing.gap-timeout': routing({
    ...duration({ unit: 's', min: 1, max: 86_400, default: 30 }),
    help: 'Maximum pause within a response, in seconds.',
  }),
  'routing.total-timeout': routing({
    ...duration({ unit: 's', min: 1, max: 86_400, default: 300 }),
    help: 'Maximum duration of a response, in seconds.',
  }),
  'routing.reader-timeout': routing({
    ...duration({ unit: 's', min: 1, max: 86_400, default: 10 }),
    help: 'Seconds a caller may stop reading while data is waiting for it.',
  }),
  'routing.queue-length': routing({
    kind: 'integer',
    schema: integerValue(0, 10_000),
    default: 32,
    help: 'Requests that may queue while all servers of a model are full, and as many again while their caller or the miner has too many in flight.',
  }),
  'routing.queue-timeout': routing({
    ...duration({ unit: 's', min: 1, max: 600, default: 2 }),
    help: 'Seconds a request may queue for a free server, or for a place among the requests in flight.',
  }),
  'routing.refresh': routing({
    ...duration({ unit: 's', min: 1, max: 3600, default: 10 }),
    help: 'Seconds between checks of a model server’s models and health.',
  }),
  'routing.ask-health': shared({
    kind: 'text',
    schema: z.enum(['auto', 'always', 'never']),
    default: 'auto',
    options: ['auto', 'always', 'never'],
    help: 'Whether health checks ask a model server for GET /health: auto asks servers that are known to be vLLM, because others may run a completion for it.',
  }),
  'routing.add-token-ids': shared({
    kind: 'switch',
    schema: switchValue,
    default: false,
    help: 'Ask for token ids where a server returns them only on request; rewrites the request body.',
  }),
} as const
