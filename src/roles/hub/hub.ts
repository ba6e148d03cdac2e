import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import type { Alerts } from '../../alerts/index.js'
import { createMinerAgent } from '../../inference/index.js'
import { initSr25519 } from '../../kernel/index.js'
import { createRandom } from '../../prompts/index.js'
import { startNeuronAlerts } from '../neuron-alerts.js'
import {
  createExchange,
  createRequestEnds,
  type Exchange,
  hubConditions,
  type RequestEnds,
} from './alerting/index.js'
import { type Asking, answerBytes, openAsking } from './asking/index.js'
import { type Figures, openFigures } from './figures/index.js'
import { type Gateway, openGateway, type RequestEnd, type Sampling } from './gateway/index.js'
import type { Miners } from './miners/index.js'
import { openSubnet } from './open-subnet.js'
import { createAllowedValidators, type Organics, openOrganics, organicRoutes } from './organics/index.js'
import { ownedOrganics } from './owned-organics.js'
import { createRequestLog } from './request-log.js'
import { openStatusServer } from './status.js'
import type { Hub, HubContext, HubReport } from './types.js'

/** Seeds of vLLM and of 4.4.1 are positive 32-bit integers. */
const SEEDS = 2 ** 31 - 1

/** Opens the parts in order: miners, records, public port, status server. */
export async function openHub(
  context: HubContext,
): Promise<{ readonly hub: Hub; readonly statusUrl: string }> {
  const { settings, deps, metrics, cleanup, signal } = context
  const { log } = deps
  await initSr25519()
  const seeded = settings.seed === undefined ? undefined : createRandom(settings.seed)
  const random = seeded ? seeded.next : Math.random
  const miners = await openSubnet(context, random)
  const organics = await openRecords(context, random)
  let gateway: Gateway | undefined
  const inFlight = () => gateway?.inFlight ?? 0
  const { accounts, clock } = deps
  const figures = openFigures({ metrics, accounts, clock, log, signal, inFlight })
  const logEnd = createRequestLog(log, clock)
  const ends = createRequestEnds(clock)
  const onEnd = (end: RequestEnd) => {
    for (const note of [figures.noteEnd, logEnd, ends.note]) note(end)
  }
  const exchange = createExchange()
  const sampling: Sampling = {
    maxTokens: settings['hub.max-tokens'],
    defaultTokens: settings['hub.default-tokens'],
    seed: () => (seeded ? seeded.integer(1, SEEDS) : randomInt(1, SEEDS)),
  }
  const opened = await openPort(context, { miners, organics, sampling, figures, exchange, onEnd })
  gateway = opened
  cleanup.add('public port', () => opened.close())
  const alerts = await startHubAlerts(context, { miners, organics, gateway: opened, ends, exchange })
  cleanup.add('alerts', () => alerts.close())
  const hub: Hub = { miners, gateway: opened, organics, figures, alerts }
  const { url: statusUrl } = await openStatusServer(hub, context)
  log.info({ event: 'hub-listening', url: opened.url, models: miners.models() }, 'hub is listening')
  return { hub, statusUrl }
}

async function openRecords(
  { settings, deps, cleanup, signal, lost }: HubContext,
  random: () => number,
): Promise<Organics> {
  const { clock, log, stateDir } = deps
  const organics = await openOrganics({
    ...{ clock, log, random, signal },
    folder: join(stateDir, 'organics'),
    retainMs: settings['hub.retain'] * 1000,
    retainBytes: settings['hub.retain-bytes'],
    keyFile: settings['hub.retain-key-file'],
    bucketRows: settings['hub.bucket-size'],
    bucketAgeMs: settings['hub.bucket-age'] * 1000,
  })
  cleanup.add('records', () => organics.close())
  return ownedOrganics(organics, lost)
}

interface PortParts {
  readonly miners: Miners
  readonly organics: Organics
  readonly sampling: Sampling
  readonly figures: Figures
  readonly exchange: Exchange
  readonly onEnd: (end: RequestEnd) => void
}

function openPort(
  context: HubContext,
  { miners, organics, sampling, figures, exchange, onEnd }: PortParts,
): Promise<Gateway> {
  const { settings, deps } = context
  const { clock, log, accounts } = deps
  return openGateway({
    settings,
    serve: {
      ...{ clock, log, accounts, miners, organics, sampling, onEnd },
      asking: openMinerAsking(context, miners),
      isRetaining: organics.buckets !== undefined,
      stallMs: settings['hub.gap-timeout'] * 1000,
    },
    organics: organicRoutes({
      ...{ clock, log },
      buckets: organics.buckets,
      isAllowed: createAllowedValidators(settings['hub.validators'], () => miners.metagraph()),
      models: () => miners.models().map((model) => ({ model })),
      noteHandedOut: exchange.noteHandedOut,
      noteVerdict: (verdict) => {
        exchange.noteVerdict(verdict)
        miners.noteVerdict(verdict)
        figures.noteVerdict(verdict)
      },
    }),
  })
}

type Watched = Pick<Hub, 'miners' | 'organics' | 'gateway'> & {
  readonly ends: RequestEnds
  readonly exchange: Exchange
}

function startHubAlerts({ settings, deps, metrics }: HubContext, watched: Watched): Promise<Alerts> {
  const { clock, signer, accounts } = deps
  return startNeuronAlerts({
    ...{ role: 'hub', settings, deps, metrics },
    conditions: hubConditions({
      ...{ ...watched, clock, hotkey: signer.address, netuid: settings.netuid },
      idleMs: settings['alert.idle'] * 1000,
      accountsTrouble: () => accounts.trouble(),
    }),
  })
}

function openMinerAsking({ settings, deps, cleanup }: HubContext, miners: Miners): Asking {
  const { clock, signer } = deps
  // Framing may double the bytes of an answer.
  const dispatcher = createMinerAgent(2 * answerBytes(settings['hub.max-tokens']))
  cleanup.add('connections to miners', () => dispatcher.destroy())
  return openAsking({
    ...{ miners, signer, clock, dispatcher },
    attempts: settings['hub.attempts'],
    hedgeAfterMs: settings['hub.hedge-after'],
    limits: {
      firstTokenMs: settings['hub.first-token-timeout'] * 1000,
      gapMs: settings['hub.gap-timeout'] * 1000,
      totalMs: settings['hub.total-timeout'] * 1000,
    },
  })
}

const DRAIN_CHECK_MS = 50

/** Refuses new requests, lets those in flight finish until the drain timeout, then closes everything. */
export async function drainHub(
  { gateway, figures }: Hub,
  { settings, deps, cleanup }: HubContext,
): Promise<HubReport> {
  const { clock, log, signer } = deps
  gateway.startDraining()
  log.info({ event: 'hub-draining', inFlight: gateway.inFlight }, 'hub is draining')
  const until = clock.monotonic() + settings['drain-timeout'] * 1000
  while (gateway.inFlight > 0 && clock.monotonic() < until) await clock.sleep(DRAIN_CHECK_MS)
  const cut = gateway.inFlight
  await cleanup.closeAll()
  const report: HubReport = { role: 'hub', hotkey: signer.address, ...figures.counts(), cut }
  log.info({ event: 'hub-ended', ...report }, 'hub ended')
  return report
}
