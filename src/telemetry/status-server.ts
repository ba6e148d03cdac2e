import fastify from 'fastify'
import { type Log, maskPasswords, messageOf, TargonError } from '../kernel/index.js'
import type { MetricsText } from './metrics.js'

export interface StatusServerOptions {
  /** Port on 127.0.0.1; 0 picks a free port. */
  readonly port: number
  readonly log: Log
  /** Whether the process is alive. */
  readonly live: () => boolean
  /** What is missing; undefined if ready. */
  readonly ready: () => string | undefined
  readonly metrics: MetricsText
  /** The document of GET /status. */
  readonly status: () => unknown
  /** Additional documents, each at GET /<name>, given the query parameters; a rejection is a 503. */
  readonly documents?: Readonly<Record<string, (query: Readonly<Record<string, string>>) => Promise<unknown>>>
}

export interface StatusServer {
  readonly url: string
  close(): Promise<void>
}

/**
 * Serves /livez, /readyz, /metrics and /status of a running role, on loopback only.
 *
 * @throws TargonError STATUS_PORT_IN_USE (fault usage)
 */
export async function startStatusServer(options: StatusServerOptions): Promise<StatusServer> {
  const server = fastify({ forceCloseConnections: true, requestTimeout: 5000, bodyLimit: 1024 })
  // DNS rebinding: a web page may reach loopback through a name it controls, so other Host values are rejected.
  server.addHook('onRequest', async (request, reply) => {
    if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? '')) {
      await reply.code(403).send({ detail: 'Only requests to 127.0.0.1 are answered.' })
    }
  })
  server.get('/livez', async (_, reply) =>
    options.live() ? { live: true } : reply.code(503).send({ live: false }),
  )
  server.get('/readyz', async (_, reply) => {
    const missing = options.ready()
    return missing === undefined
      ? { ready: true }
      : reply.code(503).send({ ready: false, missing: maskPasswords(missing) })
  })
  server.get('/metrics', async (_, reply) =>
    reply.type(options.metrics.contentType).send(maskPasswords(await options.metrics.text())),
  )
  server.get('/status', async (_, reply) => reply.type('application/json').send(jsonOf(options.status())))
  for (const [name, describe] of Object.entries(options.documents ?? {})) {
    server.get<{ Querystring: Record<string, string> }>(`/${name}`, async (request, reply) => {
      try {
        return await reply.type('application/json').send(jsonOf(await describe(request.query)))
      } catch (error) {
        return reply.code(503).send({ detail: maskPasswords(messageOf(error)) })
      }
    })
  }
  const url = await server.listen({ host: '127.0.0.1', port: options.port }).catch((error: unknown) => {
    throw new TargonError(
      `The status server cannot listen on 127.0.0.1:${options.port}: ${messageOf(error)}.`,
      {
        code: 'STATUS_PORT_IN_USE',
        fault: 'usage',
        next: 'Set another port with --metrics.port, or 0 for a free port.',
        facts: { port: options.port },
      },
      { cause: error },
    )
  })
  options.log.info({ event: 'status-server-listening', url }, 'status server is listening')
  return { url, close: () => server.close() }
}

/** Any user of this machine can read it, so passwords of addresses are masked: of a model server, or in the error of an engine. */
function jsonOf(document: unknown): string {
  return maskPasswords(JSON.stringify(document))
}
