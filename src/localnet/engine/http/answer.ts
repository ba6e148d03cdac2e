import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { type Behaviour, HONEST, isOccasion } from '../behaviour/index.js'
import {
  type Decoding,
  decode,
  type Job,
  Pace,
  type PromptPosition,
  scorePrompt,
} from '../generation/index.js'
import { type LanguageModel, loadModel } from '../language/index.js'
import type { PromptLogprobs } from './answer-shape.js'
import { type Answering, countPromptTokens, type Sequence } from './answering.js'
import { ApiError } from './api-error.js'
import { chatShape } from './chat-answer.js'
import { completionShape } from './completion-answer.js'
import type { EngineState } from './engine-state.js'
import { failScoring } from './faults.js'
import { sendEvents } from './stream-answer.js'
import { sendWhole } from './whole-answer.js'

/** Answers a generation request, streamed or in one piece. */
export async function answerJob(
  requested: Job,
  state: EngineState,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const behaviour = behaviourNow(requested, state)
  if (behaviour.respond) return behaviour.respond(response)
  const startedAtMs = state.clock.monotonic()
  const release = await state.slots.take(signal)
  try {
    // paced from here, not from its arrival: time spent in the queue does not speed an answer up
    const tokensPerSecond = behaviour.tokensPerSecond ?? state.pace.tokensPerSecond
    const pace = new Pace(state.clock, { ...state.pace, tokensPerSecond })
    const queuedMs = state.clock.monotonic() - startedAtMs
    const job = behaviour.changeJob?.(requested) ?? requested
    const shape = job.endpoint === 'chat' ? chatShape(job, state) : completionShape(job, state)
    const serving = servingOf(job, behaviour, state)
    const answering: Answering = {
      job,
      behaviour,
      shape,
      id: `${shape.idPrefix}${randomUUID().replaceAll('-', '')}`,
      created: Math.floor(state.clock.now() / 1000),
      pace,
      signal,
      sequences: job.prompts.map((prompt, index) => startSequence(serving, prompt, index, state)),
    }
    const report = job.stream
      ? await sendEvents(answering, state, response)
      : await sendWhole(answering, response, state)
    state.metrics.countRequest(job.model, {
      prompt: countPromptTokens(job),
      generated: report.generatedTokens,
    })
    state.metrics.observeAnswer(job.model, {
      toFirstToken: (queuedMs + report.timeToFirstTokenMs) / 1000,
      total: (state.clock.monotonic() - startedAtMs) / 1000,
    })
  } finally {
    release()
  }
}

/** The engine's behaviour for the request that just came, whose number is `nextRequest`. */
function behaviourNow(job: Job, { behaviour, nextRequest, clock, startedAtMs }: EngineState): Behaviour {
  const runningMs = clock.monotonic() - startedAtMs
  return isOccasion(behaviour.occasion ?? {}, nextRequest, runningMs, countPromptTokens(job))
    ? behaviour
    : HONEST
}

/** What answers one request, and how. */
interface Serving {
  readonly job: Job
  readonly behaviour: Behaviour
  /** As prompts are scored. */
  readonly scoring: LanguageModel
  /** As answers are generated. */
  readonly generating: LanguageModel
  readonly decoding: Decoding
}

function servingOf(job: Job, behaviour: Behaviour, state: EngineState): Serving {
  const { decode: decodeSd = 0, prefill = 0, seed = 1 } = state.numericNoise
  const varied = (model: LanguageModel, sd: number, phase: number) =>
    sd > 0 ? model.vary({ logitNoise: [{ sd, seed: 2 * seed + phase }] }) : model
  const claimed = loadModel(job.model)
  const model = behaviour.chooseModel?.(claimed) ?? claimed
  const draft = behaviour.chooseDraft?.(claimed)
  return {
    job,
    behaviour,
    scoring: varied(model, prefill, 1),
    generating: varied(model, decodeSd, 0),
    decoding: {
      mode: state.logprobsMode,
      sampler: state.sampler,
      reportedBy: behaviour.rescores ? varied(claimed, prefill, 1) : undefined,
      draft: draft && { ...draft, model: varied(draft.model, decodeSd, 0) },
    },
  }
}

function startSequence(
  { job, behaviour, scoring, generating, decoding }: Serving,
  prompt: readonly number[],
  index: number,
  state: EngineState,
): Sequence {
  if (job.promptLogprobs !== undefined) failScoring(state)
  const positions =
    job.promptLogprobs === undefined || state.fault === 'missing-logprobs'
      ? undefined
      : scorePrompt(scoring, prompt, job, state.logprobsMode, job.promptLogprobs)
  const read = behaviour.changePrompt?.(prompt, generating) ?? prompt
  const context = { job, model: generating, prompt: read, decoding }
  const steps = behaviour.produce?.(context) ?? decode(generating, read, job, decoding)
  const sent = behaviour.changeSteps?.(steps, context) ?? steps
  return {
    index,
    steps: sent[Symbol.iterator](),
    echo: job.echo
      ? {
          ids: prompt,
          texts: [state.tokenizer.decode(prompt, { skipSpecial: job.skipSpecial })],
          positions: positions ?? [],
        }
      : undefined,
    promptLogprobs: positions ? promptLogprobsOf(positions, state) : null,
  }
}

/** Maps by token id, as in vLLM. @throws ApiError 500 in `v0`, as 0.6.2 cannot encode −Infinity */
function promptLogprobsOf(positions: readonly PromptPosition[], state: EngineState): PromptLogprobs {
  return positions.map((position) => {
    if (position === null) return null
    const entries = position.map(({ id, logprob, rank }) => {
      if (logprob === Number.NEGATIVE_INFINITY && state.dialect === 'v0') {
        throw new ApiError(500, 'Out of range float values are not JSON compliant')
      }
      return [
        id,
        { logprob: Math.max(logprob, -9999), rank, decoded_token: state.tokenizer.textOf(id) },
      ] as const
    })
    return Object.fromEntries(entries)
  })
}
