import type { EngineServerView } from '../../../engine/index.js'
import { type ComparedAnswer, noiseLevels, observe } from '../../../evidence/index.js'
import { type Clock, messageOf, withDeadline } from '../../../kernel/index.js'
import { verifyAnswer } from '../../../verification/index.js'
import type { CalibrationSample } from './calibration-file.js'
import { planRequest } from './plan.js'

export interface Measured {
  readonly samples: readonly CalibrationSample[]
  /** Why the answer gave nothing to measure. */
  readonly failure?: string
}

const ANSWER_TIMEOUT_MS = 900_000

/**
 * One planned answer: a server generates it, and scores it as it scores the answers of miners; where there are several
 * servers another one scores it too. Fails only when the signal aborts.
 */
export async function measureAnswer(
  servers: readonly EngineServerView[],
  index: number,
  clock: Clock,
  outer: AbortSignal,
): Promise<Measured> {
  const asked = servers[index % servers.length]
  if (!asked?.facts) return { samples: [], failure: asked?.unreadyReason ?? 'no engine is ready' }
  const { facts, model } = asked
  const other = servers.length > 1 ? servers[(index + 1) % servers.length] : undefined
  try {
    return await withDeadline(clock, 'measuring an answer', ANSWER_TIMEOUT_MS, outer, async (signal) => {
      const request = await planRequest(model, facts, index, clock, signal)
      const answer = await asked.ask(request, signal)
      outer.throwIfAborted()
      if (answer.fault) return { samples: [], failure: answer.fault.detail }
      const samples: CalibrationSample[] = []
      for (const engine of other ? [asked, other] : [asked]) {
        let compared: ComparedAnswer | undefined
        const onCompared = (one: ComparedAnswer) => {
          compared = one
        }
        const rules = 'strict'
        const verdict = await verifyAnswer({ request, answer, engine, rules, clock, signal, onCompared })
        outer.throwIfAborted()
        if (!compared) {
          const failure = verdict.kind === 'verified' ? 'its log probabilities are scaled' : verdict.detail
          return { samples, failure }
        }
        samples.push({
          index,
          scoredBy: engine === asked ? 'itself' : 'another',
          endpoint: request.endpoint,
          temperature: request.temperature,
          verdict: verdict.kind === 'failed' ? verdict.cause : verdict.kind,
          observation: observe(compared, noiseLevels(undefined), undefined),
        })
      }
      return { samples }
    })
  } catch (error) {
    outer.throwIfAborted()
    return { samples: [], failure: messageOf(error) }
  }
}
