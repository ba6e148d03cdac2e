import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ApiKey } from '../../../accounts/index.js'
import { allowManyListeners } from '../../../kernel/index.js'
import type { Authenticate } from './authenticate.js'
import { answerError, type EarlyDeps } from './early-answers.js'
import { invalidBody, modelNotFound, overloaded, stopping } from './gateway-error.js'
import type { Route } from './read-request.js'
import { serveRequest } from './serve-request.js'
import type { ServeDeps } from './types.js'

const ROUTES: Readonly<Record<string, Route>> = {
  '/v1/chat/completions': 'chat',
  '/v1/completions': 'completion',
  '/v1/embeddings': 'plain',
  '/v1/responses': 'plain',
  '/v1/messages': 'plain',
}

export interface RouteDeps extends EarlyDeps {
  readonly serve: ServeDeps
  readonly authenticate: Authenticate
  readonly maxInFlight: number
  readonly isDraining: () => boolean
  /** Aborts when running requests must end. */
  readonly signal: AbortSignal
  /** Called with +1 and −1. */
  readonly countInFlight: (change: 1 | -1) => number
}

/** The routes for users. They share their errors and the check of the key, which happens before the body is read. */
export function userRoutes(server: FastifyInstance, deps: RouteDeps): void {
  const keys = new WeakMap<FastifyRequest, ApiKey>()
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body))
  server.setErrorHandler((error, request, reply) =>
    answerError(error, request, reply, { ...deps, keyId: keys.get(request)?.id }),
  )
  server.addHook('onRequest', async (request) => {
    if (deps.isDraining()) throw stopping()
    keys.set(request, await deps.authenticate(request.raw))
  })
  const keyOf = (request: FastifyRequest): ApiKey => {
    const key = keys.get(request)
    if (key === undefined) throw new Error('the key of a request was not checked')
    return key
  }
  server.get('/v1/models', async (request) => ({
    object: 'list',
    data: listModels(keyOf(request), deps),
  }))
  // Names of models contain slashes.
  server.get<{ Params: { '*': string } }>('/v1/models/*', async (request) => {
    const name = request.params['*']
    const model = listModels(keyOf(request), deps).find(({ id }) => id === name)
    if (model === undefined) throw modelNotFound(name)
    return model
  })
  for (const [path, route] of Object.entries(ROUTES))
    server.post(path, async (request, reply) => {
      const key = keyOf(request)
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      if (body.length === 0) throw invalidBody('The request has no body.')
      if (deps.countInFlight(1) > deps.maxInFlight) {
        deps.countInFlight(-1)
        throw overloaded()
      }
      reply.hijack()
      const response = reply.raw
      const left = watchUser(response, deps.signal)
      try {
        const { id } = request
        await serveRequest({ id, route, path, key, body, response, signal: left.signal }, deps.serve)
      } finally {
        left.stop()
        deps.countInFlight(-1)
      }
    })
}

/** A signal that aborts when the connection closes before the answer is complete, or when the hub must end. */
function watchUser(response: FastifyReply['raw'], hub: AbortSignal) {
  const leaving = new AbortController()
  const follow = () => leaving.abort(hub.reason)
  const onClose = () => {
    if (!response.writableFinished) leaving.abort(new Error('the user left'))
  }
  allowManyListeners(leaving.signal)
  allowManyListeners(hub)
  hub.addEventListener('abort', follow, { once: true })
  if (hub.aborted) follow()
  response.once('close', onClose)
  // A user who resets the connection is seen by its close.
  response.on('error', () => {})
  return {
    signal: leaving.signal,
    stop: () => {
      hub.removeEventListener('abort', follow)
      response.removeListener('close', onClose)
    },
  }
}

/** What miners serve now, as far as the key may use it. */
function listModels({ limits }: ApiKey, { serve }: RouteDeps) {
  const allowed = serve.miners.models().filter((model) => limits.models?.includes(model) ?? true)
  return allowed.map((id) => ({ id, object: 'model', created: 0, owned_by: 'targon' }))
}
