import fastify, { type FastifyInstance } from 'fastify'
import { type Log, maskPasswords, messageOf, parseIpPort, TargonError } from '../kernel/index.js'
import type { MetricsText } from './metrics.js'

/** What a scraper and the probes of an orchestrator ask for. */
export interface HealthSources {
  /** Whether the process is alive. */
  readonly live: () => boolean
  /** What is missing; undefined if ready. */
  readonly ready: () => string | undefined
  /** Absent for a process without metrics. */
  readonly metrics?: MetricsText
}

export interface ScrapeServer {
  close(): Promise<void>
}

/** Adds /livez, /readyz and /metrics to a server. */
export function serveHealth(server: FastifyInstance, { live, ready, metrics }: HealthSources): void {
  server.get('/livez', async (_, reply) => (live() ? { live: true } : reply.code(503).send({ live: false })))
  server.get('/readyz', async (_, reply) => {
    const missing = ready()
    return missing === undefined
      ? { ready: true }
      : reply.code(503).send({ ready: false, missing: maskPasswords(missing) })
  })
  if (!metrics) return
  server.get('/metrics', async (_, reply) =>
    reply.type(metrics.contentType).send(maskPasswords(await metrics.text())),
  )
}

/**
 * Serves /livez, /readyz and /metrics, and nothing else of the status server, to other machines: the kubelet and a scraper reach
 * a pod by its address only.
 *
 * @param address ip:port to listen on.
 * @throws TargonError SCRAPE_ADDRESS_UNUSABLE (fault usage)
 */
export async function startScrapeServer(
  address: string,
  sources: HealthSources,
  log: Log,
): Promise<ScrapeServer> {
  const { ip: host, port } = parseIpPort(address) ?? { ip: address, port: 0 }
  const server = fastify({ forceCloseConnections: true, requestTimeout: 5000, bodyLimit: 1024 })
  serveHealth(server, sources)
  const url = await server.listen({ host, port }).catch((error: unknown) => {
    throw new TargonError(
      `The metrics cannot be served on ${address}: ${messageOf(error)}.`,
      {
        code: 'SCRAPE_ADDRESS_UNUSABLE',
        fault: 'usage',
        next: 'Set another address of this machine or another port with --metrics.listen.',
        facts: { address },
      },
      { cause: error },
    )
  })
  log.info({ event: 'scrape-server-listening', url }, 'metrics are served to other machines')
  return { close: () => server.close() }
}
