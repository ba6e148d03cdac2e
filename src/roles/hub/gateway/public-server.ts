import type { Server } from 'node:https'
import type { Socket } from 'node:net'
import fastify, { type FastifyHttpsOptions, type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { HubSettings } from '../../../config/index.js'
import { messageOf, TargonError, UnreadableRequests } from '../../../kernel/index.js'
import { answerError, type EarlyDeps, ID_HEADER, newRequestId, unreadableAnswer } from './early-answers.js'
import { routeNotFound } from './gateway-error.js'
import type { Tls } from './tls.js'

/** How often the server looks for requests that arrive too slowly. */
const SLOW_CHECK_MS = 1000
/** Longer than the pools of nginx and of common clients keep an idle connection. */
const KEEP_ALIVE_MS = 75_000

export type ServerSettings = Pick<HubSettings, `hub.${'port' | 'ip' | 'max-body-bytes' | 'body-timeout'}`>

/** An HTTP or HTTPS server without routes. Every answer has an id, also the one to bytes that are not HTTP. */
export function createPublicServer(
  settings: ServerSettings,
  tls: Tls | undefined,
  deps: EarlyDeps,
): FastifyInstance {
  const unreadable = new UnreadableRequests((reason) => unreadableAnswer(reason, deps.serve))
  const server = createServer(settings, tls, {
    genReqId: newRequestId,
    clientErrorHandler: (error, socket) => unreadable.refuse(error, socket as Socket),
    frameworkErrors: (error, request, reply) => void answerError(error, request, reply, deps),
  })
  server.server.on('request', (request, response) => unreadable.note(response, request.socket))
  server.addHook('onRequest', async (request, reply) => {
    reply.header(ID_HEADER, request.id)
  })
  server.setNotFoundHandler((request, reply) => answerError(routeNotFound(), request, reply, deps))
  return server
}

function createServer(
  settings: ServerSettings,
  tls: Tls | undefined,
  handlers: FastifyServerOptions,
): FastifyInstance {
  const timeoutMs = settings['hub.body-timeout'] * 1000
  // Node swaps the two timeouts when the one for the head is longer, so both are set.
  const times = {
    connectionsCheckingInterval: SLOW_CHECK_MS,
    headersTimeout: timeoutMs,
    requestTimeout: timeoutMs,
  }
  const options = {
    ...handlers,
    bodyLimit: settings['hub.max-body-bytes'],
    requestTimeout: timeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: true,
  } as const
  if (tls === undefined) return fastify({ ...options, http: times })
  // the handlers read nothing that only one of the two kinds of server has
  const secure = {
    ...options,
    https: { cert: tls.cert, key: tls.key, ...times },
  } as unknown as FastifyHttpsOptions<Server>
  return fastify(secure) as unknown as FastifyInstance
}

/** @throws TargonError HUB_PORT_UNAVAILABLE */
export async function listenPublicly(server: FastifyInstance, settings: ServerSettings): Promise<string> {
  const host = settings['hub.ip']
  const port = settings['hub.port']
  try {
    return await server.listen({ host, port })
  } catch (cause) {
    await server.close()
    throw new TargonError(
      `The hub cannot listen on ${host}:${port}: ${messageOf(cause)}.`,
      {
        code: 'HUB_PORT_UNAVAILABLE',
        fault: 'usage',
        next: 'Set another address with --hub.ip and --hub.port, or stop the program that uses it.',
        facts: { host, port },
      },
      { cause },
    )
  }
}
