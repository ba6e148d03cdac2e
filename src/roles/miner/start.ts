import type { MinerSettings } from '../../config/index.js'
import { createReplayMemory, type ReplayGuard } from '../../epistula/index.js'
import {
  type CleanupStack,
  createCleanupStack,
  initSr25519,
  isAbort,
  TargonError,
  whenAborted,
} from '../../kernel/index.js'
import { createDeadlines, type Router, startRouter } from '../../routing/index.js'
import { createMetrics, noteChain, startStatusServer } from '../../telemetry/index.js'
import type { RunningRole } from '../role.js'
import {
  connectRedisReplayGuard,
  createAdmission,
  createBodyReader,
  createCallerAddress,
  createFailureBuckets,
  createSignatureWorkers,
  readTrustedProxies,
  watchRegistration,
} from './admission/index.js'
import { announce, resolveExternalAddress } from './announcing/index.js'
import {
  createRequestCounter,
  createRequestHandler,
  createWantedModels,
  listenPublicly,
  readLimits,
  readUpstreams,
  waitUntilIdle,
  whenHealthy,
} from './serving/index.js'
import type { MinerDeps, MinerReport, MinerStatus } from './types.js'

export interface RunningMiner extends RunningRole<MinerReport> {
  /** Why it cannot serve now, as /readyz tells; undefined when it can. */
  readonly lack: () => string | undefined
}

/**
 * Runs a miner: the door, the router behind it, the address on chain, the operator's status server. Drains and ends when
 * `deps.signal` aborts. The chain connection is borrowed, not closed.
 *
 * @throws TargonError HOTKEY_NOT_REGISTERED (fault chain), AXON_PORT_UNAVAILABLE, STATUS_PORT_IN_USE, BAD_UPSTREAM (fault
 * usage), NO_EXTERNAL_ADDRESS (fault usage or unreachable), ANNOUNCEMENT_REFUSED (fault chain), and what Subtensor throws.
 */
export async function startMiner(settings: MinerSettings, deps: MinerDeps): Promise<RunningMiner> {
  const cleanup = createCleanupStack(deps.clock, deps.log)
  const life = new AbortController()
  cleanup.add('background work', () => life.abort())
  // Asked to stop before it serves there is nothing to drain: every wait of the start ends at once.
  const giveUp = () => life.abort(deps.signal.reason)
  deps.signal.addEventListener('abort', giveUp, { once: true })
  try {
    deps.signal.throwIfAborted()
    return await compose(settings, deps, cleanup, life)
  } catch (error) {
    await cleanup.closeAll()
    throw error
  } finally {
    deps.signal.removeEventListener('abort', giveUp)
  }
}

async function compose(
  settings: MinerSettings,
  deps: MinerDeps,
  cleanup: CleanupStack,
  life: AbortController,
): Promise<RunningMiner> {
  const { clock, log, signer, subtensor } = deps
  const upstreams = readUpstreams(settings)
  const isTrustedProxy = readTrustedProxies(settings['axon.trusted-proxies'])
  const callerAddress = createCallerAddress(isTrustedProxy)
  await initSr25519()

  const standing = await watchRegistration({
    subtensor,
    netuid: settings.netuid,
    hotkey: signer.address,
    refreshMs: settings['metagraph-refresh'] * 1000,
    clock,
    log,
    signal: life.signal,
  })
  if (standing.self() === undefined) throw notRegistered(settings, signer.address)

  const metrics = deps.metrics ?? createMetrics('miner')
  const tally = createRequestCounter(metrics)
  const wanted = createWantedModels()
  const router = await startRouter({
    clock,
    log,
    upstreams,
    limits: readLimits(settings),
    signal: life.signal,
  })
  cleanup.add('router', () => router.close())

  const deadlines = createDeadlines(clock, life.signal)
  const signatures = await createSignatureWorkers(settings['signature-workers'], log)
  cleanup.add('signature threads', () => signatures.close())
  const replays = await openReplayGuard(settings, deps, cleanup, life.signal)
  const door = createAdmission({
    self: signer.address,
    clock,
    standing,
    minStakeTao: settings['no-force-validator-permit'] ? undefined : settings['min-stake'],
    windowMs: settings['timestamp-window'],
    maxInFlight: settings['max-in-flight'],
    maxInFlightPerSigner: settings['max-in-flight-per-signer'],
    failures: createFailureBuckets(clock, settings['max-failed-checks']),
    bodies: createBodyReader(clock, deadlines, {
      maxBytes: settings['max-body-bytes'],
      timeoutMs: settings['body-timeout'] * 1000,
    }),
    signatures,
    replays: replays.guard,
    lackOf: (model) => router.unavailableReason(model),
  })
  let isDraining = false
  const server = await listenPublicly({
    clock,
    log,
    signal: life.signal,
    host: settings['axon.ip'],
    port: settings['axon.port'],
    headerTimeoutMs: settings['header-timeout'] * 1000,
    bodyTimeoutMs: settings['body-timeout'] * 1000,
    isTrustedProxy,
    handle: createRequestHandler({
      clock,
      log,
      deadlines,
      door,
      router,
      wanted,
      tally,
      metrics,
      callerAddress,
      isDraining: () => isDraining,
    }),
  })
  cleanup.add('public server', () => server.close())

  const status = (): MinerStatus => ({
    role: 'miner',
    uid: standing.self()?.uid ?? null,
    hotkey: signer.address,
    address: server.address,
    port: server.port,
    block: subtensor.head().number,
    isDraining,
    inFlight: door.inFlight,
    models: router.models(),
    upstreams: router.report(),
    requests: tally.counts(),
    callers: tally.callers().map((caller) => ({ ...caller, inFlight: door.inFlightOf(caller.hotkey) })),
    wanted: wanted.report(),
  })
  const ready = () => {
    if (isDraining) return 'the miner is shutting down'
    if (standing.isExpired()) return 'the metagraph is too old'
    if (standing.self() === undefined) return 'the hotkey is not registered'
    if (!replays.isReachable()) return 'the replay store does not answer'
    return router.models().length === 0 ? 'no upstream answers' : undefined
  }
  const statusServer = await startStatusServer({
    port: settings['metrics.port'],
    log,
    live: () => true,
    ready,
    metrics: {
      contentType: metrics.contentType,
      text: () => {
        const report = router.report()
        metrics.chainHeadBlock.set(subtensor.head().number)
        noteChain(metrics, subtensor)
        metrics.inFlight.set(door.inFlight)
        metrics.upstreamHealthy.reset()
        metrics.upstreamInFlight.reset()
        for (const { url, health, inFlight } of report) {
          metrics.upstreamHealthy.set({ upstream: url }, health === 'up' ? 1 : 0)
          metrics.upstreamInFlight.set({ upstream: url }, inFlight)
        }
        return metrics.text()
      },
    },
    status,
  })
  cleanup.add('status server', () => statusServer.close())

  if (settings['axon.announce']) {
    const ip = await resolveExternalAddress(settings, life.signal)
    const port = settings['axon.external_port'] ?? server.port
    await announce({
      subtensor,
      signer,
      axon: { netuid: settings.netuid, ip, port },
      clock,
      log,
      signal: life.signal,
    })
  }
  if (deps.reload) void takeReloads(deps, deps.reload, router, life.signal)
  log.info(
    { event: 'miner-listening', address: server.address, port: server.port, models: router.models() },
    'miner is listening',
  )

  const drain = async (): Promise<MinerReport> => {
    isDraining = true
    log.info({ event: 'miner-draining', inFlight: door.inFlight }, 'miner is draining')
    const pending = () => door.inFlight + door.unproved
    const cut = await waitUntilIdle(clock, pending, settings['drain-timeout'] * 1000)
    await cleanup.closeAll()
    const report: MinerReport = { role: 'miner', hotkey: signer.address, ...tally.counts(), cut }
    log.info({ event: 'miner-ended', ...report }, 'miner ended')
    return report
  }
  const healthy = whenHealthy(clock, ready, life.signal)
  const { url: statusUrl } = statusServer
  return { done: whenAborted(deps.signal).then(drain), statusUrl, healthy, lack: ready }
}

async function openReplayGuard(
  settings: MinerSettings,
  { clock, log, signer }: MinerDeps,
  cleanup: CleanupStack,
  signal: AbortSignal,
): Promise<{ readonly guard: ReplayGuard; readonly isReachable: () => boolean }> {
  const url = settings['replay.redis-url']
  const windowMs = settings['timestamp-window']
  if (url === undefined) return { guard: createReplayMemory(clock, { windowMs }), isReachable: () => true }
  const guard = await connectRedisReplayGuard({ url, self: signer.address, windowMs, clock, log, signal })
  cleanup.add('replay store', () => guard.close())
  return { guard, isReachable: () => guard.isReachable }
}

async function takeReloads(
  deps: MinerDeps,
  reload: AsyncIterable<MinerSettings>,
  router: Router,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const settings of reload) {
      if (signal.aborted) return
      try {
        await router.reload(readUpstreams(settings))
      } catch (error) {
        deps.log.warn(
          { event: 'settings-reload-failed', err: error },
          'could not reload the settings; keeping the previous ones',
        )
      }
    }
  } catch (error) {
    if (!isAbort(error))
      deps.log.error(
        { event: 'settings-reload-unavailable', err: error },
        'settings can no longer be reloaded',
      )
  }
}

function notRegistered(settings: MinerSettings, hotkey: string): TargonError {
  return new TargonError(`The hotkey ${hotkey} is not registered on subnet ${settings.netuid}.`, {
    code: 'HOTKEY_NOT_REGISTERED',
    fault: 'chain',
    next: `Register it: btcli subnets register --netuid ${settings.netuid} --wallet.name ${settings['wallet.name']} --wallet.hotkey ${settings['wallet.hotkey']}.`,
    facts: { hotkey, netuid: settings.netuid },
  })
}
