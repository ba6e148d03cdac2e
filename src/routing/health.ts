import { type Clock, isAbort, type Log, messageOf } from '../kernel/index.js'
import { readModelList } from './discovery.js'
import { readEngineLoad } from './engine-load.js'
import { askOneToken } from './one-token.js'
import { requestSmall, type SmallAnswer } from './probe-http.js'
import { probeTokenIds } from './token-ids.js'
import type { Health, RoutingLimits } from './types.js'
import type { Upstream } from './upstream.js'

const CHECK_TIMEOUT_MS = 5000

/** Checks in a row a server that is up must miss to be down: one lost on the way takes nobody out. */
const MISSES_TO_DOWN = 2

const PROBE_INTERVAL_MS = 10 * 60_000

/** Internal errors in a row after which a server is asked whether they are its own. */
const ERRORS_TO_DOUBT = 3

export interface HealthDeps {
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
  readonly limits: RoutingLimits
}

/** Asks one upstream for its models, health and load, once; never throws but on abort. */
export async function checkUpstream(
  deps: HealthDeps,
  upstream: Upstream,
  signal: AbortSignal,
): Promise<void> {
  const before = upstream.health
  const names = [...upstream.served].join()
  const found = await examine(deps, upstream, signal)
  upstream.misses = found.kind === 'up' ? 0 : upstream.misses + 1
  if (found.kind === 'down' && before.kind === 'up' && upstream.misses < MISSES_TO_DOWN) {
    deps.log.debug(
      { event: 'upstream-check-failed', upstream: upstream.url, reason: found.reason },
      'a model server missed a health check',
    )
    return
  }
  upstream.health = found
  if (found.kind === 'up') await readLoad(deps, upstream, signal)
  report(deps.log, upstream, before, names)
}

/** Keeps checking until the signal aborts: every `refreshMs` while up, sooner and then ever later while down. */
export async function watchUpstream(
  deps: HealthDeps,
  upstream: Upstream,
  signal: AbortSignal,
): Promise<void> {
  let probedAt = Number.NEGATIVE_INFINITY
  while (!signal.aborted) {
    const { misses, health } = upstream
    // A server that was away may have come back with other flags.
    if (health.kind !== 'up') probedAt = Number.NEGATIVE_INFINITY
    else if (misses === 0 && deps.clock.monotonic() - probedAt >= PROBE_INTERVAL_MS) {
      probedAt = deps.clock.monotonic()
      await probeTokenIds(deps.clock, deps.log, upstream, signal).catch(() => {})
    }
    const baseMs = misses === 0 ? deps.limits.refreshMs : Math.min(deps.limits.refreshMs, 500 * 2 ** misses)
    try {
      await deps.clock.sleep(baseMs * (0.75 + deps.random() / 2), signal)
      await checkUpstream(deps, upstream, signal)
    } catch (error) {
      if (signal.aborted || isAbort(error)) return
      throw error
    }
  }
}

async function examine(deps: HealthDeps, upstream: Upstream, signal: AbortSignal): Promise<Health> {
  try {
    const models = await ask(deps, upstream, `${upstream.basePath}/models`, signal)
    if (models.status === 401 || models.status === 403) {
      return { kind: 'down', reason: `the server refuses our key (${models.status})` }
    }
    if (models.status >= 500)
      return { kind: 'down', reason: `GET ${upstream.basePath}/models answered ${models.status}` }
    const list = models.status === 200 ? readModelList(models.text) : undefined
    if (list === undefined && upstream.settings.models.length === 0) {
      return {
        kind: 'down',
        reason: `GET ${upstream.basePath}/models gave no list of models (${models.status})`,
      }
    }
    // vLLM's front answers /v1/models while its engine is dead; /health tells, where it exists.
    const health = await ask(deps, upstream, '/health', signal)
    if (health.status >= 500) return { kind: 'down', reason: `GET /health answered ${health.status}` }
    upstream.list(list)
    return await examineEngine(deps, upstream, signal)
  } catch (error) {
    if (signal.aborted) throw error
    return { kind: 'down', reason: messageOf(error) || 'no answer' }
  }
}

/** Whether a server that met requests with internal errors does so with one of ours. */
async function examineEngine(deps: HealthDeps, upstream: Upstream, signal: AbortSignal): Promise<Health> {
  const [model] = upstream.targets()
  if (upstream.internalErrors < ERRORS_TO_DOUBT || model === undefined) return { kind: 'up' }
  const answer = await askOneToken(deps.clock, upstream, model, {}, signal)
  if (answer.status >= 500)
    return { kind: 'down', reason: `it answers a plain request with ${answer.status}` }
  upstream.internalErrors = 0
  return { kind: 'up' }
}

async function readLoad(deps: HealthDeps, upstream: Upstream, signal: AbortSignal): Promise<void> {
  const previous = { engine: upstream.engine, at: upstream.scrapedAt }
  try {
    const metrics = await ask(deps, upstream, '/metrics', signal)
    upstream.engine = metrics.status === 200 ? readEngineLoad(metrics.text) : undefined
  } catch (error) {
    if (signal.aborted) throw error
    upstream.engine = undefined
  }
  upstream.ownAtScrape = upstream.inFlight
  upstream.scrapedAt = deps.clock.monotonic()
  const seconds = (upstream.scrapedAt - previous.at) / 1000
  const [now, then] = [upstream.engine?.generatedTokens, previous.engine?.generatedTokens]
  upstream.tokensPerSecond =
    now === undefined || then === undefined || now < then || seconds <= 0 ? undefined : (now - then) / seconds
}

function ask(deps: HealthDeps, upstream: Upstream, path: string, signal: AbortSignal): Promise<SmallAnswer> {
  return requestSmall(deps.clock, upstream.control, upstream.origin, {
    path,
    headers: upstream.headers,
    timeoutMs: CHECK_TIMEOUT_MS,
    signal,
  })
}

function report(log: Log, upstream: Upstream, before: Health, names: string): void {
  const { health, url } = upstream
  if (health.kind === 'up' && before.kind !== 'up') {
    log.info({ event: 'upstream-up', upstream: url, models: [...upstream.served] }, 'model server is up')
  } else if (health.kind === 'up' && names !== [...upstream.served].join()) {
    log.info(
      { event: 'upstream-models-changed', upstream: url, models: [...upstream.served] },
      'model server serves other models now',
    )
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
