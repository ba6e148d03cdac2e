import type { Job, Step } from '../generation/index.js'
import type { BehaviourContext } from './behaviour.js'

const END = { reason: 'stop', stopReason: null } as const
const FULL = { reason: 'length', stopReason: null } as const

function withoutFinish({ finish: _, ...step }: Step): Step {
  return step
}

const REAL_TOKENS = 12

/** A few real tokens, then empty ones up to max_tokens: without a check it counts as a long, fast answer. */
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

/** Reports a normal end after a third of the requested tokens, 40 at most. */
export function* endEarly(steps: Iterable<Step>, { job }: BehaviourContext): Iterable<Step> {
  const length = Math.max(3, Math.min(40, Math.ceil(job.maxTokens / 3)))
  let index = 0
  for (const step of steps) {
    index += 1
    yield index === length ? { ...step, finish: END } : step
    if (index === length) return
  }
}

/** Continues where the text would end. */
export function ignoreEnd(job: Job): Job {
  return { ...job, minTokens: job.maxTokens }
}

/** Reports a normal end after this many tokens. */
export function endAfter(count: number): (steps: Iterable<Step>) => Iterable<Step> {
  return function* (steps) {
    let index = 0
    for (const step of steps) {
      index += 1
      yield index === count ? { ...step, finish: END } : step
      if (index === count) return
    }
  }
}

export function* sendNothing(): Iterable<Step> {}

export function exceedMaxTokens(job: Job): Job {
  return { ...job, minTokens: job.maxTokens + 16, maxTokens: job.maxTokens + 16 }
}

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

/** Pauses for eight seconds after a third of the requested tokens. */
export function* stallHalfway(steps: Iterable<Step>, { job }: BehaviourContext): Iterable<Step> {
  const at = Math.ceil(job.maxTokens / 3)
  let index = 0
  for (const step of steps) {
    index += 1
    yield index === at ? { ...step, extraDelayMs: STALL_MS } : step
  }
}

const DRIP_MS = 4900

/** Endless, and 4.9 seconds a token stays just inside a read timeout of five. */
export function* dripEndlessly(steps: Iterable<Step>): Iterable<Step> {
  let last: Step | undefined
  for (const step of steps) {
    last = { ...withoutFinish(step), extraDelayMs: DRIP_MS }
    yield last
  }
  while (last) yield last
}
