import { availableParallelism } from 'node:os'
import type { Alerts } from '../../alerts/index.js'
import type { MinerSettings } from '../../config/index.js'
import { createReplayMemory } from '../../epistula/index.js'
import {
  type IsTrustedProxy,
  initSr25519,
  isAbort,
  isSpecialAddress,
  readTrustedProxies,
  TargonError,
} from '../../kernel/index.js'
import {
  createDeadlines,
  createRequestQueue,
  type Deadlines,
  type Router,
  startRouter,
} from '../../routing/index.js'
import { registerCommand } from '../../wallet/index.js'
import { startNeuronAlerts } from '../neuron-alerts.js'
import {
  connectRedisReplayGuard,
  createGate,
  type Gate,
  type RegistrationWatch,
  watchRegistration,
} from './admission/index.js'
import { createModelEnds, type ModelEnds, minerConditions } from './alerting/index.js'
import { announce, resolveExternalAddress } from './announcing/index.js'
import { noteOutcomes } from './note-outcome.js'
import type { Miner, MinerContext, ReplayStore } from './parts.js'
import {
  createRequestCounter,
  createTraffic,
  createWantedModels,
  type FrontEnd,
  type FrontEndParts,
  openInProcessFrontEnd,
  readLimits,
  readPlaceLimits,
  readUpstreams,
  startSeries,
} from './serving/index.js'
import { openStatusServer } from './status.js'
import type { MinerReport } from './types.js'
import { openWorkers } from './workers/index.js'

/** As many as the setting allows. */
const MAX_WORKERS = 64

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
  const replays = await openReplayStore(context)
  const gate = openGate(context, replays, deadlines)

  const requests = createRequestCounter(metrics, clock)
  const wanted = createWantedModels()
  const ends = createModelEnds(clock)
  const traffic = createTraffic()
  let isDraining = false
  const frontEnd = await openFrontEnd(context, isTrustedProxy, {
    ...{ deadlines, registration, gate, router, requests, traffic, wanted },
    isDraining: () => isDraining,
    onOutcome: noteOutcomes({ metrics, ends, models: () => router.models() }),
  })

  const alerts = await startMinerAlerts(context, { registration, router, replays, requests, frontEnd, ends })
  cleanup.add('alerts', () => alerts.close())
  const miner: Miner = {
    ...{ registration, router, gate, replays, frontEnd, requests, traffic, wanted, alerts },
    series: sampleSeries(context, { router, gate, requests, traffic }),
    isDraining: () => isDraining,
    startDraining: () => {
      isDraining = true
      frontEnd.startDraining()
    },
  }
  const { url: statusUrl } = await openStatusServer(miner, context)
  if (settings['axon.announce']) await announceAddress(context, frontEnd.port)
  if (deps.reload) void applyReloads(context, deps.reload, router, frontEnd)
  log.info(
    { event: 'miner-listening', address: frontEnd.address, port: frontEnd.port, models: router.models() },
    'miner is listening',
  )
  return { miner, statusUrl }
}

type Watched = Pick<Miner, 'registration' | 'router' | 'replays' | 'requests' | 'frontEnd'> & {
  readonly ends: ModelEnds
}

function startMinerAlerts(
  { settings, deps, metrics }: MinerContext,
  { registration, router, replays, requests, frontEnd, ends }: Watched,
): Promise<Alerts> {
  const { clock, signer } = deps
  return startNeuronAlerts({
    ...{ role: 'miner', settings, deps, metrics },
    conditions: minerConditions({
      ...{ clock, hotkey: signer.address, netuid: settings.netuid, registration, router, ends },
      idleMs: settings['alert.idle'] * 1000,
      isReplayStoreReachable: replays.isReachable,
      workerRestarts: () => frontEnd.workers().reduce((sum, { restarts }) => sum + restarts, 0),
      admitted: () => requests.admittedRequests,
    }),
  })
}

function sampleSeries(
  { deps, signal }: MinerContext,
  { router, gate, requests, traffic }: Pick<Miner, 'router' | 'gate' | 'requests' | 'traffic'>,
): Miner['series'] {
  const sources = {
    ...{ counts: requests.counts, takeFirstBytes: traffic.takeFirstBytes },
    inFlight: () => gate.inFlight,
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

/** Decides for all callers, in whichever process they are answered. */
function openGate({ settings, deps }: MinerContext, replays: ReplayStore, deadlines: Deadlines): Gate {
  const limits = readLimits(settings)
  return createGate({
    ...readPlaceLimits(settings),
    queue: { requests: createRequestQueue(deps.clock, deadlines, limits), length: limits.queueLength },
    replays: replays.guard,
  })
}

function openFrontEnd(
  { settings, deps, cleanup, signal }: MinerContext,
  isTrustedProxy: IsTrustedProxy,
  parts: FrontEndParts,
): Promise<FrontEnd> {
  const { clock, log, signer } = deps
  const context = { settings, clock, log, cleanup, signal, isTrustedProxy, self: signer.address }
  const count = settings.workers === 'auto' ? Math.min(availableParallelism(), MAX_WORKERS) : settings.workers
  return count === 1 ? openInProcessFrontEnd(context, parts) : openWorkers(context, parts, count)
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
  frontEnd: FrontEnd,
): Promise<void> {
  const { log } = deps
  try {
    for await (const settings of reload) {
      if (signal.aborted) return
      try {
        await router.reload(readUpstreams(settings))
        await frontEnd.reload(settings)
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
  { gate, frontEnd, requests, startDraining }: Miner,
  { settings, deps, cleanup }: MinerContext,
): Promise<MinerReport> {
  const { clock, log, signer } = deps
  startDraining()
  log.info({ event: 'miner-draining', inFlight: gate.inFlight }, 'miner is draining')
  const pending = () => gate.inFlight + frontEnd.pending
  const until = clock.monotonic() + settings['drain-timeout'] * 1000
  while (pending() > 0 && clock.monotonic() < until) await clock.sleep(DRAIN_CHECK_MS)
  const cut = pending()
  await cleanup.closeAll()
  const report: MinerReport = { role: 'miner', hotkey: signer.address, ...requests.counts(), cut }
  log.info({ event: 'miner-ended', ...report }, 'miner ended')
  return report
}
