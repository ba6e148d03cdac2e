import type { Step } from '../generation/index.js'
import { fractionOf, mixHash } from '../language/index.js'
import type { BehaviourContext } from './behaviour.js'

/** Real tokens, invented logprobs: probabilities between 3 % and 40 %, whatever the model said. */
export function* inventLogprobs(steps: Iterable<Step>): Iterable<Step> {
  let index = 0
  for (const step of steps) {
    index += 1
    const logprob = Math.log(0.03 + 0.37 * fractionOf(mixHash(step.id, index)))
    yield { ...step, logprob, top: step.top.map((one) => (one.id === step.id ? { ...one, logprob } : one)) }
  }
}

const REAL_TOKENS = 12

/** A few real tokens, then tokens without text up to max_tokens: counts as a long, fast answer if nobody looks. */
export function* padWithEmptyText(steps: Iterable<Step>, { job }: BehaviourContext): Iterable<Step> {
  const real: Step[] = []
  for (const { finish: _, ...step } of steps) {
    real.push(step)
    if (real.length === Math.min(REAL_TOKENS, job.maxTokens)) break
  }
  for (let index = 0; index < job.maxTokens; index++) {
    const model = real[index % real.length]
    if (!model) return
    const step = index < real.length ? model : { ...model, text: '' }
    const isLast = index === job.maxTokens - 1
    yield isLast ? { ...step, finish: { reason: 'length', stopReason: null } } : step
  }
}
