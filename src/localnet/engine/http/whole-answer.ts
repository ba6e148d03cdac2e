import type { ServerResponse } from 'node:http'
import type { Step } from '../generation/index.js'
import { type Answering, type AnswerReport, letOthersRun, usageOf } from './answering.js'
import type { EngineState } from './engine-state.js'
import { encodeStrangeJson } from './json.js'

/** Sends the answer in one piece, when its last token is due. */
export async function sendWhole(
  { job, shape, id, created, pace, signal, sequences }: Answering,
  response: ServerResponse,
  state: EngineState,
): Promise<AnswerReport> {
  let generatedTokens = 0
  let longest = 0
  const choices: object[] = []
  for (const { index, steps, echo, promptLogprobs } of sequences) {
    const told: Step[] = []
    for (let step = job.maxTokens > 0 ? steps.next() : undefined; step && !step.done; step = steps.next()) {
      told.push(step.value)
      if (told.length % 64 === 0) await letOthersRun(signal)
    }
    generatedTokens += told.length
    longest = Math.max(longest, told.length)
    choices.push(shape.finalChoice(index, told, echo, promptLogprobs))
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
  const encode = state.behaviour.sendsStrangeNumbers ? encodeStrangeJson : JSON.stringify
  response.writeHead(200, { 'content-type': 'application/json' }).end(encode(body))
  return { generatedTokens, timeToFirstTokenMs: pace.dueMs(0) }
}
