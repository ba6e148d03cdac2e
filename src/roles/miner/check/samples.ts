import type { ReferenceEngine } from '../../../engine/index.js'
import type { ComparedAnswer } from '../../../evidence/index.js'
import {
  type Answer,
  askServer,
  burstRuleOf,
  createMinerAgent,
  type InferenceRequest,
  type OwnServer,
  STRICT_BURST_RULE,
} from '../../../inference/index.js'
import { type Verdict, verifyAnswer } from '../../../verification/index.js'
import type { CheckDeps } from './types.js'

/** Requests in flight at once: a check must not slow down a server that earns. */
const CONCURRENCY = 2

/** One answer of the server and what a validator makes of it. */
export interface Sample {
  readonly request: InferenceRequest
  readonly answer: Answer
  readonly verdict: Verdict
  /** Undefined when it was not compared with the reference. */
  readonly compared: ComparedAnswer | undefined
}

/**
 * Asks the server and judges each answer as a validator does, a few at a time, in the order of the requests.
 *
 * @throws the reason of the signal when it aborts
 */
export async function takeSamples(
  requests: readonly InferenceRequest[],
  server: OwnServer,
  engine: ReferenceEngine,
  deps: CheckDeps,
): Promise<Sample[]> {
  const samples: Sample[] = []
  const dispatcher = createMinerAgent()
  const waiting = [...requests.entries()]
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, request] = next
      const burst = burstRuleOf(STRICT_BURST_RULE.minTokensPerSecond, engine.generatedTokensPerSecond)
      const { clock, signal } = deps
      const answer = await askServer(request, server, { clock, signal, dispatcher, burst })
      signal.throwIfAborted()
      samples[index] = await judge(request, answer, engine, deps)
    }
  }
  try {
    await Promise.all(Array.from({ length: CONCURRENCY }, work))
    return samples
  } finally {
    await dispatcher.destroy()
  }
}

async function judge(
  request: InferenceRequest,
  answer: Answer,
  engine: ReferenceEngine,
  { clock, signal }: CheckDeps,
): Promise<Sample> {
  let compared: ComparedAnswer | undefined
  const onCompared = (one: ComparedAnswer) => {
    compared = one
  }
  const verdict = await verifyAnswer({ request, answer, engine, rules: 'strict', clock, signal, onCompared })
  signal.throwIfAborted()
  return { request, answer, verdict, compared }
}
