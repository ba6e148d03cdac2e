import { Readable } from 'node:stream'
import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify'
import type { Clock, Log } from '../../../kernel/index.js'
import { bucketText } from './bucket-text.js'
import type { Buckets } from './buckets.js'
import { type ReportEntry, readModelNames, readOrganicScores, readRoundReport } from './reports.js'
import { requireSignedCaller, signerOf } from './signed-caller.js'
import type { ReportedVerdict } from './types.js'

/** A model as `GET /api/models?v=2` lists it. */
export interface ListedModel {
  readonly model: string
  readonly contextLength?: number | undefined
}

export interface OrganicRoutesDeps {
  /** Undefined when nothing is kept. */
  readonly buckets: Buckets | undefined
  readonly isAllowed: (hotkey: string) => boolean
  /** Models that miners serve now. */
  readonly models: () => readonly ListedModel[]
  readonly noteVerdict: (verdict: ReportedVerdict) => void
  /** Called with the id of a bucket when a validator is handed rows of it. */
  readonly noteHandedOut?: (bucket: string) => void
  readonly clock: Clock
  readonly log: Log
}

/** Success of every POST but /organics, word for word as the hub of 4.4.1. */
const DONE = ['', 200]

/** The largest body is the report of a round: 37 answers of up to 4,096 tokens. */
const MAX_BYTES = { names: 256 << 10, scores: 8 << 20, round: 32 << 20 }

/**
 * The validators' side of the hub, in the dialect of Targon 4.4.1: POST /organics, POST /organics/scores, POST /, GET /ping
 * and GET /api/models. Refusals have the form `{"detail": …}`.
 */
export function organicRoutes(deps: OrganicRoutesDeps): FastifyPluginCallback {
  return (server, _options, done) => {
    requireSignedCaller(server, deps)
    server.setErrorHandler<Error & { statusCode?: number }>((error, _request, reply) => {
      const status = error.statusCode ?? 500
      if (status >= 500)
        deps.log.error({ event: 'organics-request-failed', err: error }, 'could not answer a validator')
      return reply.code(status).send({ detail: status >= 500 ? 'Internal error' : error.message })
    })
    server.get('/ping', async () => DONE)
    server.get<{ Querystring: { v?: unknown } }>('/api/models', async ({ query }) =>
      query.v === '2'
        ? deps.models().map(({ model, contextLength }) => ({ model, context_length: contextLength ?? null }))
        : deps.models().map(({ model }) => model),
    )
    server.post('/organics', { bodyLimit: MAX_BYTES.names }, handBucket(deps))
    server.post(
      '/organics/scores',
      { bodyLimit: MAX_BYTES.scores },
      noteReport(deps, readOrganicScores, true),
    )
    server.post('/', { bodyLimit: MAX_BYTES.round }, noteReport(deps, readRoundReport, false))
    done()
  }
}

function handBucket({ buckets, log, noteHandedOut }: OrganicRoutesDeps) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const models = readModelNames(bodyOf(request))
    if (!models) return reply.code(400).send({ detail: 'The body must be a JSON list of model names' })
    const bucket = await buckets?.current(models)
    if (bucket?.rows.some(({ model }) => models.includes(model))) noteHandedOut?.(bucket.id)
    log.debug(
      {
        event: 'organics-handed-out',
        validator: signerOf(request),
        bucket: bucket?.id,
        rows: bucket?.rows.length,
      },
      'handed a bucket of organics to a validator',
    )
    if (!buckets || !bucket) return reply.send({ bucket_id: null, organics: {} })
    return reply.type('application/json').send(Readable.from(bucketText(bucket, buckets, models)))
  }
}

function noteReport(
  { noteVerdict, log }: OrganicRoutesDeps,
  read: (body: Buffer) => readonly ReportEntry[] | undefined,
  isOrganic: boolean,
) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const validator = signerOf(request)
    const entries = read(bodyOf(request))
    if (!entries) return reply.code(400).send({ detail: 'The body is not a report' })
    for (const entry of entries) noteVerdict({ ...entry, isOrganic, validator })
    log.debug(
      { event: 'verdicts-reported', validator, route: request.routeOptions.url, verdicts: entries.length },
      'a validator reported verdicts',
    )
    return DONE
  }
}

function bodyOf({ body }: FastifyRequest): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0)
}
