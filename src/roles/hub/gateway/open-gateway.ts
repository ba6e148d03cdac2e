import type { FastifyPluginCallback } from 'fastify'
import type { HubSettings } from '../../../config/index.js'
import { createCallerAddress, createFailureBuckets, readTrustedProxies } from '../../../kernel/index.js'
import { createAuthentication } from './authenticate.js'
import { createPublicServer, listenPublicly, type ServerSettings } from './public-server.js'
import { type RouteDeps, userRoutes } from './routes.js'
import { readTls, type Validity } from './tls.js'
import type { ServeDeps } from './types.js'
import { watchTls } from './watch-tls.js'

/** Invalid keys that one address may send per second. */
const FAILURES_PER_SECOND = 20
/** Requests of one key that may be refused per second. */
const REFUSALS_PER_SECOND = 20
/** Time in which requests that are cut off end. */
const END_MS = 2000
const END_CHECK_MS = 10

type GatewaySettings = ServerSettings &
  Pick<HubSettings, `hub.${'trusted-proxies' | 'max-in-flight' | 'tls-cert' | 'tls-key'}`>

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
  /** Of the certificate it serves HTTPS with; undefined without one. */
  readonly certificate: Validity | undefined
  /** Ends running requests and closes the port. */
  close(): Promise<void>
}

/** @throws TargonError HUB_PORT_UNAVAILABLE, HUB_TLS (usage), BAD_TRUSTED_PROXY (usage) */
export async function openGateway({ settings, serve: given, organics }: GatewayOptions): Promise<Gateway> {
  const isTrusted = readTrustedProxies(settings['hub.trusted-proxies'], 'hub.trusted-proxies')
  const ending = new AbortController()
  let isDraining = false
  let inFlight = 0
  const { clock, accounts } = given
  const refusals = createFailureBuckets(clock, REFUSALS_PER_SECOND)
  const serve: ServeDeps = {
    ...given,
    onEnd: (end) => {
      if (end.outcome === 'refused' && end.key !== undefined) refusals.fail(end.key)
      given.onEnd(end)
    },
  }
  const early = { serve, maxBodyBytes: settings['hub.max-body-bytes'] }
  const tls = await readTls(settings)
  const server = createPublicServer(settings, tls, early)
  const authenticate = createAuthentication({
    ...{ accounts, clock, refusals },
    failures: createFailureBuckets(clock, FAILURES_PER_SECOND),
    addressOf: createCallerAddress(isTrusted),
  })
  const routes: RouteDeps = {
    ...{ ...early, authenticate, signal: ending.signal },
    maxInFlight: settings['hub.max-in-flight'],
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
  const url = await listenPublicly(server, settings)
  const watched = { settings, clock, log: serve.log, signal: ending.signal }
  const certificate = watchTls(server.server, tls, watched)
  return {
    url,
    port: Number(new URL(url).port),
    get certificate() {
      return certificate()
    },
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
        await clock.sleep(END_CHECK_MS)
      await server.close()
    },
  }
}
