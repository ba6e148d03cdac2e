import { noteChain, type StatusServer, startStatusServer } from '../../telemetry/index.js'
import { hubApi } from './api.js'
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
    api: hubApi,
  })
  cleanup.add('status server', () => server.close())
  return server
}

function statusOf(hub: Hub, { deps, settings }: HubContext, startedAt: string): HubStatus {
  const { gateway, miners, organics, counts } = hub
  return {
    role: 'hub',
    startedAt,
    netuid: settings.netuid,
    hotkey: deps.signer.address,
    url: gateway.url,
    block: deps.subtensor.head().number,
    isDraining: gateway.isDraining,
    unavailable: unavailableReason(hub, deps) ?? null,
    inFlight: gateway.inFlight,
    models: miners.models(),
    requests: counts(),
    records: organics.counts(),
    miners: miners.report().map((miner) => ({ ...miner })),
  }
}

function updateMetrics({ gateway, miners, organics }: Hub, { deps, metrics }: HubContext): void {
  const { subtensor, signer } = deps
  metrics.chainHeadBlock.set(subtensor.head().number)
  noteChain(metrics, subtensor)
  metrics.registered.set(miners.metagraph().find(signer.address) ? 1 : 0)
  metrics.inFlight.set(gateway.inFlight)
  metrics.models.set(miners.models().length)
  metrics.miners.set(miners.report().filter(({ models }) => models.length > 0).length)
  const { rows, dropped } = organics.counts()
  metrics.records.set(rows)
  metrics.recordsDropped.set(dropped)
}
