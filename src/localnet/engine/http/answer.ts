import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { decode, type Job, Pace, type PromptPosition, scorePrompt } from '../generation/index.js'
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
  const { behaviour } = state
  if (behaviour.respond) return behaviour.respond(response)
  const startedAtMs = state.clock.monotonic()
  const release = await state.slots.take(signal)
  try {
    // paced from here, not from its arrival: time spent in the queue does not speed an answer up
    const tokensPerSecond = behaviour.tokensPerSecond ?? state.pace.tokensPerSecond
    const pace = new Pace(state.clock, { ...state.pace, tokensPerSecond })
    const queuedMs = state.clock.monotonic() - startedAtMs
    const job = behaviour.changeJob?.(requested) ?? requested
    const claimed = loadModel(job.model)
    const model = behaviour.chooseModel?.(claimed) ?? claimed
    const shape = job.endpoint === 'chat' ? chatShape(job, state) : completionShape(job, state)
    const answering: Answering = {
      job,
      shape,
      id: `${shape.idPrefix}${randomUUID().replaceAll('-', '')}`,
      created: Math.floor(state.clock.now() / 1000),
      pace,
      signal,
      sequences: job.prompts.map((prompt, index) => startSequence(model, prompt, index, job, state)),
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

function startSequence(
  model: LanguageModel,
  prompt: readonly number[],
  index: number,
  job: Job,
  state: EngineState,
): Sequence {
  if (job.promptLogprobs !== undefined) failScoring(state)
  const positions =
    job.promptLogprobs === undefined || state.fault === 'missing-logprobs'
      ? undefined
      : scorePrompt(model, prompt, job, state.logprobsMode, job.promptLogprobs)
  const { behaviour, logprobsMode: mode } = state
  const context = { job, model, prompt, mode }
  const steps = behaviour.produce?.(context) ?? decode(model, prompt, job, mode)
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
