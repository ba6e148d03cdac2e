import type { ServerResponse } from 'node:http'
import type { Step } from '../generation/index.js'
import { type Answering, type AnswerReport, usageOf, yieldToEventLoop } from './answering.js'
import type { EngineState } from './engine-state.js'
import { encodeJson } from './json.js'

/** Sends the answer in one piece when its last token is due. */
export async function sendWhole(
  { job, behaviour, shape, id, created, pace, signal, sequences }: Answering,
  response: ServerResponse,
  state: EngineState,
): Promise<AnswerReport> {
  let generatedTokens = 0
  let longest = 0
  const choices: object[] = []
  for (const { index, steps, echo, promptLogprobs } of sequences) {
    const sent: Step[] = []
    for (let step = job.maxTokens > 0 ? steps.next() : undefined; step && !step.done; step = steps.next()) {
      sent.push(step.value)
      if (sent.length % 64 === 0) await yieldToEventLoop(signal)
    }
    generatedTokens += sent.length
    longest = Math.max(longest, sent.length)
    choices.push(shape.finalChoice(index, sent, echo, promptLogprobs))
  }
  await pace.untilDue(Math.max(0, longest - 1), signal)
  const body = {
    id,
    object: shape.object,
    created,
    model: job.model,
    choices,
    usage: usageOf(job, generatedTokens, state),
    ...shape.finalExtras(sequences[0]?.promptLogprobs ?? null),
  }
  response.writeHead(200, { 'content-type': 'application/json' }).end(encodeJson(body, behaviour))
  return { generatedTokens, timeToFirstTokenMs: pace.dueMs(0) }
}
