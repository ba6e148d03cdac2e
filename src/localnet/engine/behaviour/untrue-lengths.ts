import type { Job, Step } from '../generation/index.js'
import type { BehaviourContext } from './behaviour.js'

const END = { reason: 'stop', stopReason: null } as const
const FULL = { reason: 'length', stopReason: null } as const

/** The step as one in the middle of an answer. */
function withoutFinish({ finish: _, ...step }: Step): Step {
  return step
}

const REAL_TOKENS = 12

/** A few real tokens, then tokens without text up to max_tokens: counts as a long, fast answer if nobody looks. */
export function* padWithEmptyText(steps: Iterable<Step>, { job }: BehaviourContext): Iterable<Step> {
  const real: Step[] = []
  for (const step of steps) {
    real.push(withoutFinish(step))
    if (real.length === Math.min(REAL_TOKENS, job.maxTokens)) break
  }
  for (let index = 0; index < job.maxTokens; index++) {
    const source = real[index % real.length]
    if (!source) return
    const step = index < real.length ? source : { ...source, text: '', isFree: true }
    yield index === job.maxTokens - 1 ? { ...step, finish: FULL } : step
  }
}

/** Stops in the middle, at a third of what was asked for and at most after 40 tokens, and calls it the end. */
export function* endEarly(steps: Iterable<Step>, { job }: BehaviourContext): Iterable<Step> {
  const length = Math.max(3, Math.min(40, Math.ceil(job.maxTokens / 3)))
  let index = 0
  for (const step of steps) {
    index += 1
    yield index === length ? { ...step, finish: END } : step
    if (index === length) return
  }
}

/** Goes on where the text would end. */
export function refuseToEnd(job: Job): Job {
  return { ...job, minTokens: job.maxTokens }
}

/** Two tokens and the end. */
export function* endAtOnce(steps: Iterable<Step>): Iterable<Step> {
  let index = 0
  for (const step of steps) {
    index += 1
    yield index === 2 ? { ...step, finish: END } : step
    if (index === 2) return
  }
}

/** Not a single token. */
export function* sendNothing(): Iterable<Step> {}

export function askForMore(job: Job): Job {
  return { ...job, minTokens: job.maxTokens + 16, maxTokens: job.maxTokens + 16 }
}

/** Each token twice. */
export function* sendTwice(steps: Iterable<Step>, { job }: BehaviourContext): Iterable<Step> {
  let left = job.maxTokens
  for (const step of steps) {
    for (const copy of [withoutFinish(step), { ...step, isFree: true }]) {
      left -= 1
      yield left === 0 ? { ...copy, finish: FULL } : copy
      if (left === 0) return
    }
  }
}

const STALL_MS = 8000

/** Falls silent for eight seconds after a third of the answer, then goes on. */
export function* stallInTheMiddle(steps: Iterable<Step>, { job }: BehaviourContext): Iterable<Step> {
  const at = Math.ceil(job.maxTokens / 3)
  let index = 0
  for (const step of steps) {
    index += 1
    yield index === at ? { ...step, extraDelayMs: STALL_MS } : step
  }
}

const DRIP_MS = 4900

/** A token every 4.9 seconds, without end: just inside a read timeout of five. */
export function* dripForEver(steps: Iterable<Step>): Iterable<Step> {
  let last: Step | undefined
  for (const step of steps) {
    last = { ...withoutFinish(step), extraDelayMs: DRIP_MS }
    yield last
  }
  while (last) yield last
}
