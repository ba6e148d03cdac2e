import {
  noteAlerts,
  noteChain,
  noteWorkers,
  type StatusServer,
  startStatusServer,
} from '../../telemetry/index.js'
import { standingOf } from '../standing.js'
import { minerApi } from './api.js'
import type { Miner, MinerContext } from './parts.js'
import type { MinerStatus } from './status-document.js'

/** Why the miner cannot serve now; undefined when it can. */
export function unavailableReason({
  isDraining,
  registration,
  replays,
  router,
  frontEnd,
}: Miner): string | undefined {
  if (isDraining()) return 'the miner is shutting down'
  if (registration.isExpired()) return 'the metagraph is too old'
  if (registration.self() === undefined) return 'the hotkey is not registered'
  if (!replays.isReachable()) return 'the replay store does not answer'
  return frontEnd.unavailableReason() ?? (router.models().length === 0 ? 'no upstream answers' : undefined)
}

/** Serves /livez, /readyz, /metrics and /status to the operator. */
export async function openStatusServer(miner: Miner, context: MinerContext): Promise<StatusServer> {
  const { settings, deps, metrics, cleanup } = context
  const startedAt = new Date(deps.clock.now()).toISOString()
  const server = await startStatusServer({
    port: settings['metrics.port'],
    scrapeAddress: settings['metrics.listen'],
    log: deps.log,
    live: () => true,
    ready: () => unavailableReason(miner),
    metrics: {
      contentType: metrics.contentType,
      text: () => {
        updateMetrics(miner, context)
        return metrics.text()
      },
    },
    status: () => statusOf(miner, context, startedAt),
    documents: { series: async () => miner.series() },
    api: minerApi,
    page: {
      role: 'miner',
      clock: deps.clock,
      read: () => ({ status: statusOf(miner, context, startedAt), series: miner.series() }),
      rowKeys: {
        status: { upstreams: 'url', callers: 'hotkey', traffic: 'id', wanted: 'hotkey' },
        series: { samples: 'at' },
      },
    },
  })
  cleanup.add('status server', () => server.close())
  return server
}

function statusOf(miner: Miner, { deps, settings }: MinerContext, startedAt: string): MinerStatus {
  const { registration, router, gate, frontEnd, requests, wanted, alerts } = miner
  const self = registration.self()
  const withInFlight = requests.callers().map((caller) => ({
    ...caller,
    inFlight: gate.inFlightOf(caller.hotkey),
  }))
  return {
    role: 'miner',
    startedAt,
    netuid: settings.netuid,
    uid: self?.uid ?? null,
    hotkey: deps.signer.address,
    address: frontEnd.address,
    port: frontEnd.port,
    block: deps.subtensor.head().number,
    isDraining: miner.isDraining(),
    launched: settings.launched,
    unavailable: unavailableReason(miner) ?? null,
    standing: self ? standingOf(self) : null,
    inFlight: gate.inFlight,
    models: router.models(),
    upstreams: router.report().map((upstream) => ({ ...upstream })),
    requests: requests.counts(),
    refusals: requests.refusals(),
    callers: withInFlight,
    traffic: miner.traffic.report(),
    wanted: wanted.report(),
    alerts: alerts.active(),
    ...(frontEnd.workers().length > 0
      ? { workers: frontEnd.workers().map((worker) => ({ ...worker })) }
      : {}),
  }
}

function updateMetrics(
  { router, gate, frontEnd, alerts, registration }: Miner,
  { deps, metrics }: MinerContext,
): void {
  metrics.chainHeadBlock.set(deps.subtensor.head().number)
  noteChain(metrics, deps.subtensor)
  noteAlerts(metrics, alerts.active())
  const self = registration.self()
  metrics.registered.set(self ? 1 : 0)
  metrics.incentive.set(self?.incentive ?? 0)
  metrics.inFlight.set(gate.inFlight)
  metrics.upstreamHealthy.reset()
  metrics.upstreamInFlight.reset()
  for (const { url, health, inFlight } of router.report()) {
    metrics.upstreamHealthy.set({ upstream: url }, health === 'up' ? 1 : 0)
    metrics.upstreamInFlight.set({ upstream: url }, inFlight)
  }
  noteWorkers(metrics, frontEnd.workers())
}
