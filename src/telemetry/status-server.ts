import fastify from 'fastify'
import { type Log, maskPasswords, messageOf, TargonError } from '../kernel/index.js'
import { type HealthSources, serveHealth, startScrapeServer } from './scrape-server.js'

export interface StatusServerOptions extends HealthSources {
  /** Port on 127.0.0.1; 0 picks a free port. */
  readonly port: number
  /** `ip:port` of a second listener, which serves /livez, /readyz and /metrics to other machines. */
  readonly scrapeAddress?: string | undefined
  readonly log: Log
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
 * Serves /livez, /readyz, /metrics and /status of a running role, on loopback only; the first three on `scrapeAddress` as well.
 *
 * @throws TargonError STATUS_PORT_IN_USE, SCRAPE_ADDRESS_UNUSABLE (fault usage)
 */
export async function startStatusServer(options: StatusServerOptions): Promise<StatusServer> {
  const server = fastify({ forceCloseConnections: true, requestTimeout: 5000, bodyLimit: 1024 })
  // DNS rebinding: a web page may reach loopback through a name it controls, so other Host values are rejected.
  server.addHook('onRequest', async (request, reply) => {
    if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? '')) {
      await reply.code(403).send({ detail: 'Only requests to 127.0.0.1 are answered.' })
    }
  })
  serveHealth(server, options)
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
  const { scrapeAddress } = options
  if (scrapeAddress === undefined) return { url, close: () => server.close() }
  const scrapes = await startScrapeServer(scrapeAddress, options, options.log).catch(
    async (error: unknown) => {
      await server.close()
      throw error
    },
  )
  return { url, close: async () => void (await Promise.all([server.close(), scrapes.close()])) }
}

/** Any user of this machine can read it, so passwords of addresses are masked: of a model server, or in the error of an engine. */
function jsonOf(document: unknown): string {
  return maskPasswords(JSON.stringify(document))
}
