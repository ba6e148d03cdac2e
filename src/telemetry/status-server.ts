import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { type Log, maskPasswords, messageOf, TargonError } from '../kernel/index.js'
import { type PageOptions, servePage } from '../page/index.js'
import { describeApi, type StatusApi } from './openapi.js'
import { type HealthSources, serveHealth, startScrapeServer } from './scrape-server.js'

type Query = Readonly<Record<string, string>>

export interface StatusServerOptions extends HealthSources {
  /** Port on 127.0.0.1; 0 picks a free port. */
  readonly port: number
  /** `ip:port` of a second listener, which serves /livez, /readyz and /metrics to other machines. */
  readonly scrapeAddress?: string | undefined
  readonly log: Log
  /** The document of GET /status. */
  readonly status: () => unknown
  /** Additional documents, each at GET /<name>, given the query parameters; a rejection is a 503. */
  readonly documents?: Readonly<Record<string, (query: Query) => Promise<unknown>>>
  /** The page at `/`; none when absent. */
  readonly page?: PageOptions
  /** What GET /openapi.json describes; none when absent. */
  readonly api?: StatusApi
}

export interface StatusServer {
  readonly url: string
  close(): Promise<void>
}

/**
 * Serves /livez, /readyz, /metrics, /status, the live page and the description of these on loopback only; the first three on
 * `scrapeAddress` as well.
 *
 * @throws TargonError STATUS_PORT_IN_USE, SCRAPE_ADDRESS_UNUSABLE (fault usage)
 */
export async function startStatusServer(options: StatusServerOptions): Promise<StatusServer> {
  const { log, port, api, scrapeAddress } = options
  const server = fastify({ forceCloseConnections: true, requestTimeout: 5000, bodyLimit: 1024 })
  server.addHook('onRequest', async (request, reply) => {
    const reason = refusalOf(request)
    if (reason !== undefined) await reply.code(403).send({ detail: reason })
  })
  serveHealth(server, options)
  serveDocuments(server, options)
  if (api) {
    const description = JSON.stringify(describeApi([api]), null, 2)
    server.get('/openapi.json', async (_, reply) => reply.type('application/json').send(description))
  }
  const page = options.page ? servePage(server, { ...options.page, log }) : undefined
  const url = await server.listen({ host: '127.0.0.1', port }).catch((error: unknown) => {
    throw new TargonError(
      `The status server cannot listen on 127.0.0.1:${port}: ${messageOf(error)}.`,
      {
        code: 'STATUS_PORT_IN_USE',
        fault: 'usage',
        next: 'Set another port with --metrics.port, or 0 for a free port.',
        facts: { port },
      },
      { cause: error },
    )
  })
  log.info({ event: 'status-server-listening', url }, 'status server is listening')
  const close = async () => {
    page?.close()
    await server.close()
  }
  if (scrapeAddress === undefined) return { url, close }
  const scrapes = await startScrapeServer(scrapeAddress, options, log).catch(async (error: unknown) => {
    await close()
    throw error
  })
  return { url, close: async () => void (await Promise.all([close(), scrapes.close()])) }
}

/**
 * Why a request may come from a web page of another site, undefined otherwise. With DNS rebinding such a page reaches
 * loopback through a name it controls (a foreign Host); without it, the browser names the page's origin or its relation.
 */
function refusalOf({ headers }: FastifyRequest): string | undefined {
  const { host = '', origin } = headers
  if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host)) return 'Only requests to 127.0.0.1 are answered.'
  // A link on another page may lead here; what it loads by itself may not.
  const isForeign = headers['sec-fetch-site'] === 'cross-site' && headers['sec-fetch-mode'] !== 'navigate'
  const hasForeignOrigin = origin !== undefined && origin !== `http://${host}`
  return isForeign || hasForeignOrigin ? 'Only pages of this server are answered.' : undefined
}

function serveDocuments(server: FastifyInstance, { status, documents = {} }: StatusServerOptions): void {
  server.get('/status', async (_, reply) => reply.type('application/json').send(jsonOf(status())))
  for (const [name, describe] of Object.entries(documents)) {
    server.get<{ Querystring: Query }>(`/${name}`, async (request, reply) => {
      try {
        return await reply.type('application/json').send(jsonOf(await describe(request.query)))
      } catch (error) {
        return reply.code(503).send({ detail: maskPasswords(messageOf(error)) })
      }
    })
  }
}

/** Any user of this machine can read it, so passwords of addresses are masked: of a model server, or in the error of an engine. */
function jsonOf(document: unknown): string {
  return maskPasswords(JSON.stringify(document))
}
