import { noteAlerts, noteChain, type StatusServer, startStatusServer } from '../../telemetry/index.js'
import { standingOf } from '../standing.js'
import { hubApi } from './api.js'
import type { Organics } from './organics/index.js'
import type { HubStatus } from './status-document.js'
import type { Hub, HubContext, HubDeps } from './types.js'

/** Why the hub cannot serve now; undefined when it can. */
export function unavailableReason(
  { gateway, miners }: Pick<Hub, 'gateway' | 'miners'>,
  { accounts, signer }: Pick<HubDeps, 'accounts' | 'signer'>,
): string | undefined {
  if (gateway.isDraining) return 'the hub is shutting down'
  const trouble = accounts.trouble()
  if (trouble !== undefined) return `the keys cannot be read: ${trouble}`
  if (miners.metagraph().find(signer.address) === undefined) return 'the hotkey is not registered'
  return miners.models().length === 0 ? 'no miner serves a model' : undefined
}

/** Serves /livez, /readyz, /metrics and /status to the operator. */
export async function openStatusServer(hub: Hub, context: HubContext): Promise<StatusServer> {
  const { settings, deps, metrics, cleanup } = context
  const startedAt = new Date(deps.clock.now()).toISOString()
  const server = await startStatusServer({
    port: settings['metrics.port'],
    scrapeAddress: settings['metrics.listen'],
    log: deps.log,
    live: () => true,
    ready: () => unavailableReason(hub, deps),
    metrics: {
      contentType: metrics.contentType,
      text: () => {
        updateMetrics(hub, context)
        return metrics.text()
      },
    },
    status: () => statusOf(hub, context, startedAt),
    documents: { series: async () => hub.figures.series() },
    api: hubApi,
    page: {
      role: 'hub',
      clock: deps.clock,
      read: () => ({ status: statusOf(hub, context, startedAt), series: hub.figures.series() }),
      rowKeys: {
        status: { miners: 'hotkey', traffic: 'model', keys: 'id', reports: 'hotkey' },
        series: { samples: 'at' },
      },
    },
  })
  cleanup.add('status server', () => server.close())
  return server
}

function statusOf(hub: Hub, { deps, settings }: HubContext, startedAt: string): HubStatus {
  const { gateway, miners, organics, figures, alerts } = hub
  const metagraph = miners.metagraph()
  const self = metagraph.find(deps.signer.address)
  const { keys, others } = figures.spend() ?? { keys: [], others: { keys: 0, tokensToday: 0 } }
  const routing = miners.routing()
  return {
    role: 'hub',
    startedAt,
    netuid: settings.netuid,
    uid: self?.uid ?? null,
    hotkey: deps.signer.address,
    standing: self ? standingOf(self) : null,
    url: gateway.url,
    block: deps.subtensor.head().number,
    isDraining: gateway.isDraining,
    unavailable: unavailableReason(hub, deps) ?? null,
    inFlight: gateway.inFlight,
    models: miners.models(),
    requests: figures.counts(),
    asked: figures.asked(),
    errors: figures.errors(),
    traffic: figures.traffic(),
    records: organics.counts(),
    bucket: bucketOf(organics),
    reports: figures.reports().map((one) => ({ ...one, uid: metagraph.find(one.hotkey)?.uid ?? null })),
    keys: keys.map((key) => ({ ...key })),
    otherKeys: others,
    launched: settings.launched,
    alerts: alerts.active(),
    miners: miners.report().map((miner) => ({
      ...miner,
      routing: (routing.get(miner.hotkey) ?? []).map((model) => ({ ...model })),
    })),
  }
}

function bucketOf({ buckets }: Organics): HubStatus['bucket'] {
  const drawn = buckets?.drawn()
  if (drawn === undefined) return null
  const timeOf = (ms: number) => new Date(ms).toISOString()
  return { rows: drawn.rows, drawnAt: timeOf(drawn.drawnAtMs), endsAt: timeOf(drawn.endsAtMs) }
}

function updateMetrics({ gateway, miners, organics, alerts }: Hub, { deps, metrics }: HubContext): void {
  const { subtensor, signer, accounts } = deps
  metrics.chainHeadBlock.set(subtensor.head().number)
  noteChain(metrics, subtensor)
  noteAlerts(metrics, alerts.active())
  metrics.registered.set(miners.metagraph().find(signer.address) ? 1 : 0)
  metrics.inFlight.set(gateway.inFlight)
  metrics.models.set(miners.models().length)
  const serving = miners.report().filter(({ models }) => models.length > 0)
  metrics.miners.set(serving.length)
  metrics.minersLeftOut.set(serving.filter(({ breaker }) => breaker !== 'closed').length)
  const { rows, dropped } = organics.counts()
  metrics.records.set(rows)
  metrics.recordsDropped.set(dropped)
  metrics.bucketRows.set(organics.buckets?.drawn()?.rows ?? 0)
  metrics.accountsUsable.set(accounts.trouble() === undefined ? 1 : 0)
}
