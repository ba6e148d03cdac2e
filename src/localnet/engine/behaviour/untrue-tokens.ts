import { decode, type Job, type Step } from '../generation/index.js'
import { fractionOf, mixHash } from '../language/index.js'
import type { BehaviourContext } from './behaviour.js'

/** The same step with another logprob, in its list of alternatives too. */
function withLogprob(step: Step, logprob: number): Step {
  return { ...step, logprob, top: step.top.map((one) => (one.id === step.id ? { ...one, logprob } : one)) }
}

/** The same step under another id. */
function withId(step: Step, id: number): Step {
  return { ...step, id, top: step.top.map((one) => (one.id === step.id ? { ...one, id } : one)) }
}

/** Probabilities between 3 % and 40 %, whatever the model computed. */
export function* inventLogprobs(steps: Iterable<Step>): Iterable<Step> {
  let index = 0
  for (const step of steps) {
    index += 1
    yield withLogprob(step, Math.log(0.03 + 0.37 * fractionOf(mixHash(step.id, index))))
  }
}

export function claimLogprob(logprob: number): (steps: Iterable<Step>) => Iterable<Step> {
  return function* (steps) {
    for (const step of steps) yield withLogprob(step, logprob)
  }
}

/** The true logprobs, each off by up to this many nats. */
export function blurLogprobs(nats: number): (steps: Iterable<Step>) => Iterable<Step> {
  return function* (steps) {
    let index = 0
    for (const step of steps) {
      index += 1
      const error = nats * (2 * fractionOf(mixHash(step.id, index)) - 1)
      yield withLogprob(step, Math.min(0, step.logprob + error))
    }
  }
}

const UNREADABLE = [Number.NaN, Number.POSITIVE_INFINITY, 1000]

export function sampleGreedily(job: Job): Job {
  return { ...job, sampling: { ...job.sampling, temperature: 0 } }
}

/** Two numbers that JSON cannot hold, and one whose exponential overflows. */
export function* sendUnreadableLogprobs(steps: Iterable<Step>): Iterable<Step> {
  let index = 0
  for (const step of steps) {
    yield withLogprob(step, UNREADABLE[index % UNREADABLE.length] ?? 0)
    index += 1
  }
}

export function omitLogprobs(job: Job): Job {
  return { ...job, logprobs: undefined, returnTokenIds: false }
}

export function* shiftIds(steps: Iterable<Step>, { model }: BehaviourContext): Iterable<Step> {
  for (const step of steps) yield withId(step, (step.id + 1) % model.tokenizer.size)
}

/** Correct ids with wrong text of the same length. */
export function* garbleText(steps: Iterable<Step>): Iterable<Step> {
  for (const step of steps) yield { ...step, text: step.text.replaceAll(/\p{L}/gu, 'x') }
}

const BAD_IDS = [2 ** 63, 2 ** 31, -1, 1e300]

/** Ids outside any vocabulary, half a surrogate pair, a probability of e^1000. */
export function* sendCrashInputs(steps: Iterable<Step>): Iterable<Step> {
  let index = 0
  for (const step of steps) {
    const bad = withLogprob(withId(step, BAD_IDS[index % BAD_IDS.length] ?? 0), 1000)
    yield index % 5 === 2 ? { ...bad, text: `${step.text}\ud800` } : step
    index += 1
  }
}

const REPLAY_FROM = 20

/** Twenty real tokens, then the rest of an answer to another prompt, with the logprobs it had there. */
export function* replayOther({ model, prompt, job, decoding }: BehaviourContext): Iterable<Step> {
  let index = 0
  for (const step of decode(model, prompt, job, decoding)) {
    if (index === REPLAY_FROM) break
    index += 1
    yield step
    if (step.finish) return
  }
  const otherPrompt = [...prompt.slice(0, 4), ...prompt.slice(2)]
  index = 0
  for (const step of decode(model, otherPrompt, { ...job, seed: job.seed + 1 }, decoding)) {
    if (index >= REPLAY_FROM) yield step
    index += 1
  }
}
