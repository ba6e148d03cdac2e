import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import fastify, { type FastifyInstance, type FastifyPluginCallback } from 'fastify'
import type { HubSettings } from '../../../config/index.js'
import {
  createCallerAddress,
  createFailureBuckets,
  messageOf,
  readTrustedProxies,
  TargonError,
} from '../../../kernel/index.js'
import { openAiError } from '../../../routing/index.js'
import { createAuthentication } from './authenticate.js'
import { type RouteDeps, userRoutes } from './routes.js'
import type { ServeDeps } from './types.js'

/** Invalid keys that one address may send per second. */
const FAILURES_PER_SECOND = 20
/** How often the server looks for requests that arrive too slowly. */
const SLOW_CHECK_MS = 1000
/** Longer than the pools of nginx and of common clients keep an idle connection. */
const KEEP_ALIVE_MS = 75_000
/** Time in which requests that are cut off end. */
const END_MS = 2000
const END_CHECK_MS = 10

type GatewaySettings = Pick<
  HubSettings,
  | `hub.${'port' | 'ip' | 'tls-cert' | 'tls-key' | 'trusted-proxies'}`
  | `hub.${'max-body-bytes' | 'body-timeout' | 'max-in-flight'}`
>

export interface GatewayOptions {
  readonly settings: GatewaySettings
  readonly serve: ServeDeps
  /** Routes for validators, on the same port. */
  readonly organics?: FastifyPluginCallback
}

/** The public port of the hub. */
export interface Gateway {
  readonly url: string
  readonly port: number
  readonly inFlight: number
  /** Refuses new requests from now on. */
  startDraining(): void
  readonly isDraining: boolean
  /** Ends running requests and closes the port. */
  close(): Promise<void>
}

/** @throws TargonError HUB_PORT_UNAVAILABLE, HUB_TLS (usage), BAD_TRUSTED_PROXY (usage) */
export async function openGateway({ settings, serve, organics }: GatewayOptions): Promise<Gateway> {
  const isTrusted = readTrustedProxies(settings['hub.trusted-proxies'], 'hub.trusted-proxies')
  const ending = new AbortController()
  let isDraining = false
  let inFlight = 0
  const server = createServer(settings, await readTls(settings))
  server.setNotFoundHandler((_, reply) =>
    reply.code(404).send(
      openAiError({
        message:
          'The hub serves POST /v1/chat/completions, /v1/completions, /v1/embeddings, /v1/responses and /v1/messages, and GET /v1/models.',
        type: 'invalid_request_error',
        code: 'not_found',
      }),
    ),
  )
  const failures = createFailureBuckets(serve.clock, FAILURES_PER_SECOND)
  const authenticate = createAuthentication(
    serve.accounts,
    failures,
    createCallerAddress(isTrusted),
    serve.clock,
  )
  const routes: RouteDeps = {
    ...{ serve, authenticate, signal: ending.signal },
    maxInFlight: settings['hub.max-in-flight'],
    maxBodyBytes: settings['hub.max-body-bytes'],
    isDraining: () => isDraining,
    countInFlight: (change) => {
      inFlight += change
      return inFlight
    },
  }
  await server.register((users, _, done) => {
    userRoutes(users, routes)
    done()
  })
  if (organics) await server.register(organics)
  const url = await listen(server, settings)
  return {
    url,
    port: Number(new URL(url).port),
    get inFlight() {
      return inFlight
    },
    get isDraining() {
      return isDraining
    },
    startDraining: () => {
      isDraining = true
    },
    close: async () => {
      ending.abort(new DOMException('the hub stops', 'AbortError'))
      // What they used is settled before the database closes.
      for (let waited = 0; inFlight > 0 && waited < END_MS; waited += END_CHECK_MS)
        await serve.clock.sleep(END_CHECK_MS)
      await server.close()
    },
  }
}

interface Tls {
  readonly cert: Buffer
  readonly key: Buffer
}

function createServer(settings: GatewaySettings, tls: Tls | undefined): FastifyInstance {
  const timeoutMs = settings['hub.body-timeout'] * 1000
  // Node swaps the two timeouts when the one for the head is longer, so both are set.
  const times = {
    connectionsCheckingInterval: SLOW_CHECK_MS,
    headersTimeout: timeoutMs,
    requestTimeout: timeoutMs,
  }
  const options = {
    bodyLimit: settings['hub.max-body-bytes'],
    requestTimeout: timeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: true,
  } as const
  if (tls === undefined) return fastify({ ...options, http: times })
  return fastify({ ...options, https: { ...tls, ...times } }) as unknown as FastifyInstance
}

async function readTls(settings: GatewaySettings): Promise<Tls | undefined> {
  const { 'hub.tls-cert': certFile, 'hub.tls-key': keyFile } = settings
  if (certFile === undefined && keyFile === undefined) return undefined
  try {
    if (certFile === undefined || keyFile === undefined) throw new Error('one of the two files is missing')
    const tls = { cert: await readFile(certFile), key: await readFile(keyFile) }
    // Throws when a file is not PEM, or the key belongs to another certificate.
    createSecureContext(tls)
    return tls
  } catch (cause) {
    throw new TargonError(
      `The hub cannot serve HTTPS: ${messageOf(cause)}.`,
      {
        code: 'HUB_TLS',
        fault: 'usage',
        next: 'Give --hub.tls-cert and --hub.tls-key readable PEM files that belong together.',
      },
      { cause },
    )
  }
}

async function listen(server: FastifyInstance, settings: GatewaySettings): Promise<string> {
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
