import { type Clock, type Log, messageOf } from '../kernel/index.js'
import { probeChatText } from './chat-text.js'
import { createDeadlines } from './deadlines.js'
import { targetName } from './discovery.js'
import { checkUpstream } from './health.js'
import { defaultLimits, type UpstreamSettings } from './settings.js'
import { probeTokenIds } from './token-ids.js'
import type { MovedText, TokenIds } from './types.js'
import { Upstream } from './upstream.js'

/** What a miner finds out about a model server at its start. */
export interface ServerInspection {
  /** Why it cannot be used; undefined when it can. */
  readonly downReason: string | undefined
  /** Name for callers and name at the server, sorted by the former. */
  readonly models: readonly { readonly name: string; readonly target: string }[]
  readonly tokenIds: TokenIds
  /** Undefined where it was not asked, because it is not vLLM, or did not tell. */
  readonly movedText: MovedText | undefined
}

export interface InspectionDeps {
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}

/**
 * Checks a model server once as a miner does, with the probes it runs at its start: health, models, token ids, and where the
 * text of a chat goes.
 *
 * @throws the reason of the signal when it aborts
 */
export async function inspectServer(
  settings: UpstreamSettings,
  { clock, log, signal }: InspectionDeps,
): Promise<ServerInspection> {
  const stop = new AbortController()
  const limits = defaultLimits
  const { connectTimeoutMs } = limits
  const deps = { clock, log, random: Math.random, limits }
  const deadlines = createDeadlines(clock, stop.signal)
  const upstream = new Upstream(settings, { ...deps, deadlines, connectTimeoutMs })
  try {
    await checkUpstream(deps, upstream, signal)
    if (upstream.health.kind === 'up') {
      await probeTokenIds(clock, log, upstream, signal)
      if (upstream.isVllm) await probeChatText(clock, log, upstream, signal).catch(unless(signal, log))
    }
    signal.throwIfAborted()
    const names = [...upstream.servedModels].sort()
    return {
      downReason: upstream.health.kind === 'down' ? upstream.health.reason : undefined,
      models: names.map((name) => ({ name, target: targetName(settings.aliases, name) })),
      tokenIds: upstream.tokenIds,
      movedText: upstream.movedText,
    }
  } finally {
    stop.abort()
    await upstream.destroy()
  }
}

/** A probe that fails leaves its question open. */
function unless(signal: AbortSignal, log: Log) {
  return (error: unknown) => {
    signal.throwIfAborted()
    log.debug(
      { event: 'chat-text-unknown', reason: messageOf(error) },
      'could not check where chat text goes',
    )
  }
}
