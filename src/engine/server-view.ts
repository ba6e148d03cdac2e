import { Agent } from 'undici'
import { askServer } from '../inference/index.js'
import { withScopedSignal } from '../kernel/index.js'
import { type CallParts, createCalls } from './engine-calls.js'
import { engineError } from './engine-error.js'
import { PARALLEL_CALLS, type Replica } from './replica.js'
import { describeServer } from './server-description.js'
import type { EngineServerView } from './types.js'

/** Generous, because a slow engine of one's own is no fault. */
const LIMITS = {
  ...{ connectMs: 30_000, firstTokenMs: 120_000, gapMs: 60_000, totalMs: 600_000 },
  ...{ parsingMs: 10_000, lineBytes: 1 << 20 },
}

/** One server of an engine as an engine of its own. */
export function viewServer(parts: CallParts, replica: Replica, apiKey: string | undefined): EngineServerView {
  const { model, clock, closing, discovery } = parts
  const { url } = replica
  const pool: CallParts['pool'] = {
    call: (signal, work) =>
      replica.call(signal, async (called) => {
        if (called.needsProbe) await called.identify(discovery.identify)
        signal.throwIfAborted()
        return await work(called)
      }),
  }
  return {
    model,
    url,
    get facts() {
      return discovery.facts
    },
    get unreadyReason() {
      return replica.isUsable ? undefined : `${url} is not ready.`
    },
    get isBusy() {
      return replica.isBusy
    },
    ...createCalls({ ...parts, pool, parallelCalls: PARALLEL_CALLS }),
    ask: (request, signal) =>
      withScopedSignal([signal, closing], async (own) => {
        const knowsTokenIds = discovery.requireFacts().dialect === 'v1'
        const dispatcher = new Agent({ connections: 1 })
        try {
          const server = { url, apiKey, knowsTokenIds }
          return await askServer(request, server, { clock, dispatcher, signal: own, limits: LIMITS })
        } finally {
          await dispatcher.destroy()
        }
      }),
    describe: (signal) =>
      withScopedSignal([signal, closing], async (own) => {
        const { probed, server } = replica
        if (!probed) throw engineError('ENGINE_UNAVAILABLE', `${url} is not ready.`)
        return await describeServer(server, probed, own)
      }),
  }
}
