import type { Alerts } from '../../alerts/index.js'
import type { MinerSettings } from '../../config/index.js'
import { createReplayMemory } from '../../epistula/index.js'
import {
  createCallerAddress,
  createFailureBuckets,
  initSr25519,
  isAbort,
  isSpecialAddress,
  readTrustedProxies,
  TargonError,
} from '../../kernel/index.js'
import {
  createDeadlines,
  createRequestPolicy,
  createRequestQueue,
  type Deadlines,
  type Router,
  startRouter,
} from '../../routing/index.js'
import { registerCommand } from '../../wallet/index.js'
import { startNeuronAlerts } from '../neuron-alerts.js'
import {
  Admission,
  BodyReader,
  connectRedisReplayGuard,
  createSignatureWorkers,
  type RegistrationWatch,
  watchRegistration,
} from './admission/index.js'
import { createModelEnds, type ModelEnds, minerConditions } from './alerting/index.js'
import { announce, resolveExternalAddress } from './announcing/index.js'
import { noteOutcomes } from './note-outcome.js'
import type { Miner, MinerContext, ReplayStore } from './parts.js'
import { createRequestReader, type RequestReader } from './requests/index.js'
import {
  createRequestCounter,
  createRequestHandler,
  createTraffic,
  createWantedModels,
  listenPublicly,
  readLimits,
  readPlaceLimits,
  readUpstreams,
  startSeries,
} from './serving/index.js'
import { openStatusServer } from './status.js'
import type { MinerReport } from './types.js'

/** Opens the parts in order: registration, router, admission, public port, status server; then announces the address. */
export async function openMiner(
  context: MinerContext,
): Promise<{ readonly miner: Miner; readonly statusUrl: string }> {
  const { settings, deps, metrics, cleanup, signal } = context
  const { clock, log } = deps
  const upstreams = readUpstreams(settings)
  const isTrustedProxy = readTrustedProxies(settings['axon.trusted-proxies'])
  await initSr25519()

  const registration = await openRegistration(context)
  const router = await startRouter({ clock, log, upstreams, limits: readLimits(settings), signal })
  cleanup.add('router', () => router.close())
  const deadlines = createDeadlines(clock, signal)
  const { admission, replays } = await openAdmission(context, registration, router, deadlines)

  const policy = createRequestPolicy(settings['request-policy'])
  const reader = createRequestReader(log, policy, settings['max-body-bytes'])
  cleanup.add('request reader', () => reader.close())
  const requests = createRequestCounter(metrics, clock)
  const wanted = createWantedModels()
  const ends = createModelEnds(clock)
  const traffic = createTraffic()
  let isDraining = false
  const server = await listenPublicly({
    clock,
    log,
    signal,
    host: settings['axon.ip'],
    port: settings['axon.port'],
    headerTimeoutMs: settings['header-timeout'] * 1000,
    bodyTimeoutMs: settings['body-timeout'] * 1000,
    isTrustedProxy,
    handle: createRequestHandler({
      ...{ clock, log, deadlines, admission, router, reader, wanted, requests, traffic, metrics },
      callerAddress: createCallerAddress(isTrustedProxy),
      isDraining: () => isDraining,
      onOutcome: noteOutcomes({ metrics, ends, models: () => router.models() }),
    }),
    onUnreadable: (code) => requests.refused(code),
  })
  cleanup.add('public server', () => server.close())

  const alerts = await startMinerAlerts(context, { registration, router, replays, requests, ends })
  cleanup.add('alerts', () => alerts.close())
  const miner: Miner = {
    ...{ registration, router, admission, replays, server, requests, traffic, wanted, alerts },
    series: sampleSeries(context, { router, admission, requests, traffic }),
    isDraining: () => isDraining,
    startDraining: () => {
      isDraining = true
    },
  }
  const { url: statusUrl } = await openStatusServer(miner, context)
  if (settings['axon.announce']) await announceAddress(context, server.port)
  if (deps.reload) void applyReloads(context, deps.reload, router, reader)
  log.info(
    { event: 'miner-listening', address: server.address, port: server.port, models: router.models() },
    'miner is listening',
  )
  return { miner, statusUrl }
}

type Watched = Pick<Miner, 'registration' | 'router' | 'replays' | 'requests'> & { readonly ends: ModelEnds }

function startMinerAlerts(
  { settings, deps, metrics }: MinerContext,
  { registration, router, replays, requests, ends }: Watched,
): Promise<Alerts> {
  const { clock, signer } = deps
  return startNeuronAlerts({
    ...{ role: 'miner', settings, deps, metrics },
    conditions: minerConditions({
      ...{ clock, hotkey: signer.address, netuid: settings.netuid, registration, router, ends },
      idleMs: settings['alert.idle'] * 1000,
      isReplayStoreReachable: replays.isReachable,
      admitted: () => requests.admittedRequests,
    }),
  })
}

function sampleSeries(
  { deps, signal }: MinerContext,
  { router, admission, requests, traffic }: Pick<Miner, 'router' | 'admission' | 'requests' | 'traffic'>,
): Miner['series'] {
  const sources = {
    ...{ counts: requests.counts, takeFirstBytes: traffic.takeFirstBytes },
    inFlight: () => admission.inFlight,
    tokensPerSecond: () => router.report().map((upstream) => upstream.tokensPerSecond),
  }
  return startSeries(deps.clock, sources, signal)
}

async function openRegistration({ settings, deps, signal }: MinerContext): Promise<RegistrationWatch> {
  const { clock, log, subtensor, signer } = deps
  const { netuid } = settings
  const hotkey = signer.address
  const refreshMs = settings['metagraph-refresh'] * 1000
  const registration = await watchRegistration({ subtensor, netuid, hotkey, refreshMs, clock, log, signal })
  if (registration.self() !== undefined) return registration
  const place = {
    name: settings['wallet.name'],
    hotkey: settings['wallet.hotkey'],
    path: settings['wallet.path'],
  }
  throw new TargonError(`The hotkey ${hotkey} is not registered on subnet ${netuid}.`, {
    code: 'HOTKEY_NOT_REGISTERED',
    fault: 'chain',
    next: `Register it: ${registerCommand(netuid, place, settings['subtensor.network'])}`,
    facts: { hotkey, netuid },
  })
}

async function openAdmission(
  context: MinerContext,
  registration: RegistrationWatch,
  router: Router,
  deadlines: Deadlines,
): Promise<{ readonly admission: Admission; readonly replays: ReplayStore }> {
  const { settings, deps, cleanup } = context
  const { clock, log, signer } = deps
  const limits = readLimits(settings)
  const signatures = await createSignatureWorkers(settings['signature-workers'], log)
  cleanup.add('signature threads', () => signatures.close())
  const replays = await openReplayStore(context)
  const admission = new Admission({
    self: signer.address,
    clock,
    registration,
    minStakeTao: settings['no-force-validator-permit'] ? undefined : settings['min-stake'],
    windowMs: settings['timestamp-window'],
    ...readPlaceLimits(settings),
    queue: { requests: createRequestQueue(clock, deadlines, limits), length: limits.queueLength },
    failures: createFailureBuckets(clock, settings['max-failed-checks']),
    bodies: new BodyReader({
      clock,
      deadlines,
      maxBytes: settings['max-body-bytes'],
      timeoutMs: settings['body-timeout'] * 1000,
    }),
    signatures,
    replays: replays.guard,
    unavailableReason: (model) => router.unavailableReason(model),
  })
  return { admission, replays }
}

async function openReplayStore({ settings, deps, cleanup, signal }: MinerContext): Promise<ReplayStore> {
  const { clock, log, signer } = deps
  const url = settings['replay.redis-url']
  const windowMs = settings['timestamp-window']
  if (url === undefined) return { guard: createReplayMemory(clock, { windowMs }), isReachable: () => true }
  const guard = await connectRedisReplayGuard({ url, self: signer.address, windowMs, clock, log, signal })
  cleanup.add('replay store', () => guard.close())
  return { guard, isReachable: () => guard.isReachable }
}

async function announceAddress({ settings, deps, signal }: MinerContext, boundPort: number): Promise<void> {
  const { subtensor, signer, clock, log } = deps
  const ip = await resolveExternalAddress(settings, signal)
  const port = settings['axon.external_port'] ?? boundPort
  if (isSpecialAddress(ip) && settings['subtensor.network'].toLowerCase() !== 'local')
    log.warn(
      {
        event: 'axon-address-private',
        ip,
        next: "Give this host's public IP with --axon.external_ip.",
      },
      'the address to announce is not public: validators skip miners with such an address',
    )
  await announce({ subtensor, signer, axon: { netuid: settings.netuid, ip, port }, clock, log, signal })
}

/** Applies upstreams and request policy of each new configuration. One that is invalid leaves the current ones in place. */
async function applyReloads(
  { deps, signal }: MinerContext,
  reload: AsyncIterable<MinerSettings>,
  router: Router,
  reader: RequestReader,
): Promise<void> {
  const { log } = deps
  try {
    for await (const settings of reload) {
      if (signal.aborted) return
      try {
        await router.reload(readUpstreams(settings))
        reader.setPolicy(createRequestPolicy(settings['request-policy']))
      } catch (error) {
        log.warn(
          { event: 'settings-reload-failed', err: error },
          'could not reload the settings; keeping the previous ones',
        )
      }
    }
  } catch (error) {
    if (!isAbort(error))
      log.error({ event: 'settings-reload-unavailable', err: error }, 'settings can no longer be reloaded')
  }
}

const DRAIN_CHECK_MS = 50

/** Refuses new requests, lets those in flight finish until the drain timeout, then closes everything. */
export async function drainMiner(
  { admission, requests, startDraining }: Miner,
  { settings, deps, cleanup }: MinerContext,
): Promise<MinerReport> {
  const { clock, log, signer } = deps
  startDraining()
  log.info({ event: 'miner-draining', inFlight: admission.inFlight }, 'miner is draining')
  const pending = () => admission.inFlight + admission.pending
  const until = clock.monotonic() + settings['drain-timeout'] * 1000
  while (pending() > 0 && clock.monotonic() < until) await clock.sleep(DRAIN_CHECK_MS)
  const cut = pending()
  await cleanup.closeAll()
  const report: MinerReport = { role: 'miner', hotkey: signer.address, ...requests.counts(), cut }
  log.info({ event: 'miner-ended', ...report }, 'miner ended')
  return report
}
