import {
  type Clock,
  DeadlineError,
  hasCode,
  isAbort,
  isDescriptorShortage,
  isJsonObject,
  type Log,
  messageOf,
  RAISE_DESCRIPTOR_LIMIT,
} from '../kernel/index.js'
import { probeChatText } from './chat-text.js'
import { readModelList, readModelOwner } from './discovery.js'
import { readEngineLoad } from './engine-load.js'
import { parseReply } from './parse-reply.js'
import { type ProbeReply, probe, probeOneToken } from './probe.js'
import type { RoutingLimits } from './settings.js'
import { probeTokenIds } from './token-ids.js'
import type { Health } from './types.js'
import type { Upstream } from './upstream.js'

const CHECK_TIMEOUT_MS = 5000

/** Bytes or an answer for a caller within this time prove that a server works, whatever a check says. */
const EVIDENCE_MS = 10_000

/** Consecutive failed checks that mark a server as down: a single lost packet takes no server out. */
const FAILED_CHECKS_TO_DOWN = 2

const TOKEN_IDS_INTERVAL_MS = 10 * 60_000

/** Consecutive internal errors after which a test request shows whether the server itself is broken. */
const ERRORS_TO_TEST = 3

export interface HealthDeps {
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
  readonly limits: RoutingLimits
}

/** Reads models, health and load of an upstream once. Throws only when the signal aborts. */
export async function checkUpstream(
  deps: HealthDeps,
  upstream: Upstream,
  signal: AbortSignal,
): Promise<void> {
  const before = upstream.health
  const models = [...upstream.servedModels].join()
  const found = await checkHealth(deps, upstream, signal)
  // Our own lack of file descriptors says nothing about the server.
  if (found === 'unchecked') return
  if (found.kind === 'down' && found.isSilent) {
    // A busy server may take longer for a check than for its streams.
    if (deps.clock.monotonic() - upstream.lastAliveAt() <= EVIDENCE_MS) return trustEvidence(deps, upstream)
    // The configuration is all that is known of a server that has not answered yet.
    if (upstream.servedModels.size === 0) upstream.setListedModels(undefined)
  }
  upstream.failedChecks = found.kind === 'up' ? 0 : upstream.failedChecks + 1
  if (found.kind === 'down' && before.kind === 'up' && upstream.failedChecks < FAILED_CHECKS_TO_DOWN) {
    deps.log.debug(
      { event: 'upstream-check-failed', upstream: upstream.url, reason: found.reason },
      'model server failed a health check',
    )
    return
  }
  upstream.health = found
  // Something else may answer at the address when it comes back.
  if (found.kind === 'down') upstream.isVllm = undefined
  if (found.kind === 'up') await readLoad(deps, upstream, signal)
  logChange(deps.log, upstream, before, models)
}

function trustEvidence({ log }: HealthDeps, upstream: Upstream): void {
  const before = upstream.health
  upstream.failedChecks = 0
  upstream.health = { kind: 'up' }
  log.debug(
    { event: 'upstream-check-outdone', upstream: upstream.url },
    'model server answers callers but no health check',
  )
  logChange(log, upstream, before, [...upstream.servedModels].join())
}

/** Checks until the signal aborts: every `refreshMs` while up; sooner, then with growing pauses, while down. */
export async function watchUpstream(
  deps: HealthDeps,
  upstream: Upstream,
  signal: AbortSignal,
): Promise<void> {
  let probedAt = Number.NEGATIVE_INFINITY
  while (!signal.aborted) {
    const { failedChecks, health } = upstream
    // A server that was down may have restarted with other flags.
    if (health.kind !== 'up') probedAt = Number.NEGATIVE_INFINITY
    else if (failedChecks === 0 && deps.clock.monotonic() - probedAt >= TOKEN_IDS_INTERVAL_MS) {
      probedAt = deps.clock.monotonic()
      await probeTokenIds(deps.clock, deps.log, upstream, signal).catch(() => {})
      // The switches it advises about are vLLM's, and elsewhere a request may cost money.
      if (upstream.isVllm) await probeChatText(deps.clock, deps.log, upstream, signal).catch(() => {})
    }
    const { refreshMs } = deps.limits
    const pauseMs = failedChecks === 0 ? refreshMs : Math.min(refreshMs, 500 * 2 ** failedChecks)
    try {
      await deps.clock.sleep(pauseMs * (0.75 + deps.random() / 2), signal)
      await checkUpstream(deps, upstream, signal)
    } catch (error) {
      if (signal.aborted || isAbort(error)) return
      throw error
    }
  }
}

async function checkHealth(
  deps: HealthDeps,
  upstream: Upstream,
  signal: AbortSignal,
): Promise<Health | 'unchecked'> {
  const path = `${upstream.basePath}/models`
  try {
    const models = await get(deps, upstream, path, signal)
    const { status } = models
    if (status === 401 || status === 403) return down(`the server refused our API key (${status})`)
    if (status >= 500) return down(`GET ${path} returned ${status}`)
    const list = status === 200 ? readModelList(models.text) : undefined
    if (list === undefined && upstream.settings.models.length === 0)
      return down(`GET ${path} returned no model list (${status})`)
    if (await isHealthAsked(deps, upstream, models.text, signal)) {
      // vLLM's API server still answers /v1/models when its engine has died; its /health does not.
      const health = await get(deps, upstream, '/health', signal)
      if (health.status >= 500) return down(`GET /health returned ${health.status}`)
    }
    upstream.setListedModels(list)
    return await testEngine(deps, upstream, signal)
  } catch (error) {
    if (signal.aborted) throw error
    if (isDescriptorShortage(error)) {
      deps.log.warn(
        { event: 'descriptors-exhausted', upstream: upstream.url, next: RAISE_DESCRIPTOR_LIMIT },
        'could not open a connection: this process has no file descriptor left',
      )
      return 'unchecked'
    }
    return { kind: 'down', reason: messageOf(error) || 'no response', isSilent: isSilence(error) }
  }
}

function isSilence(error: unknown): boolean {
  return error instanceof DeadlineError || hasCode(error, 'UND_ERR_CONNECT_TIMEOUT')
}

/** Other servers may run a completion of each of their models when asked for their health, as LiteLLM does. */
async function isHealthAsked(
  deps: HealthDeps,
  upstream: Upstream,
  list: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { askHealth = 'auto' } = upstream.settings
  const owner = readModelOwner(list)
  if (owner !== 'unnamed') upstream.isVllm = owner === 'vllm'
  else if (upstream.engine !== undefined) upstream.isVllm = true
  else upstream.isVllm ??= await hasVersion(deps, upstream, signal)
  return askHealth === 'always' || (askHealth === 'auto' && upstream.isVllm)
}

/** vLLM answers GET /version with `{"version": "0.9.1"}`. */
async function hasVersion(deps: HealthDeps, upstream: Upstream, signal: AbortSignal): Promise<boolean> {
  const reply = await get(deps, upstream, '/version', signal)
  const document = reply.status === 200 ? parseReply(reply.text) : undefined
  return isJsonObject(document) && typeof document.version === 'string'
}

/** After several internal errors in a row: the server is down if a test request fails too. */
async function testEngine(deps: HealthDeps, upstream: Upstream, signal: AbortSignal): Promise<Health> {
  const [model] = upstream.targetModels()
  if (upstream.internalErrors < ERRORS_TO_TEST || model === undefined) return { kind: 'up' }
  const reply = await probeOneToken(deps.clock, upstream, model, {}, signal)
  if (reply.status >= 500) return down(`a test request returned ${reply.status}`)
  upstream.internalErrors = 0
  return { kind: 'up' }
}

function down(reason: string): Health {
  return { kind: 'down', reason, isSilent: false }
}

async function readLoad(deps: HealthDeps, upstream: Upstream, signal: AbortSignal): Promise<void> {
  const previous = { engine: upstream.engine, at: upstream.scrapedAt }
  try {
    const metrics = await get(deps, upstream, '/metrics', signal)
    upstream.engine = metrics.status === 200 ? readEngineLoad(metrics.text) : undefined
  } catch (error) {
    if (signal.aborted) throw error
    upstream.engine = undefined
  }
  upstream.inFlightAtScrape = upstream.inFlight
  upstream.scrapedAt = deps.clock.monotonic()
  const seconds = (upstream.scrapedAt - previous.at) / 1000
  const [now, then] = [upstream.engine?.generatedTokens, previous.engine?.generatedTokens]
  upstream.tokensPerSecond =
    now === undefined || then === undefined || now < then || seconds <= 0 ? undefined : (now - then) / seconds
}

function get(deps: HealthDeps, upstream: Upstream, path: string, signal: AbortSignal): Promise<ProbeReply> {
  return probe(deps.clock, upstream, { path, timeoutMs: CHECK_TIMEOUT_MS }, signal)
}

function logChange(log: Log, upstream: Upstream, before: Health, modelsBefore: string): void {
  const { health, url, servedModels } = upstream
  const models = [...servedModels]
  if (health.kind === 'up' && before.kind !== 'up') {
    log.info({ event: 'upstream-up', upstream: url, models }, 'model server is up')
  } else if (health.kind === 'up' && modelsBefore !== models.join()) {
    log.info({ event: 'upstream-models-changed', upstream: url, models }, 'model server changed its models')
  } else if (health.kind === 'down' && (before.kind !== 'down' || before.reason !== health.reason)) {
    log.warn(
      {
        event: 'upstream-down',
        upstream: url,
        reason: health.reason,
        next: 'Start the server, or correct --model-endpoint and --api-key.',
      },
      'model server is down',
    )
  }
}
