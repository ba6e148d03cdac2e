import type { Endpoint } from '../../../inference/index.js'
import { type AnswerPiece, type Attempt, MinerFailure, NoAnswer, type UserRequest } from '../asking/index.js'
import { answerHeaders } from './answer-headers.js'
import { createAssembly } from './assemble.js'
import { gatewayErrorOf } from './gateway-error.js'
import { withoutLogprobs } from './logprobs-span.js'
import { noteFailure } from './note-record.js'
import { observeAnswer } from './observe-answer.js'
import { withReadableTokens } from './readable-tokens.js'
import type { ServeDeps, Served } from './types.js'
import { eventOf, UserStream } from './user-stream.js'

export type Verifiable = Served & { readonly request: UserRequest & { readonly endpoint: Endpoint } }

const EVENT_STREAM = 'text/event-stream; charset=utf-8'

/** Serves a request that validators can verify. @throws what is to be answered instead, as long as nothing was sent */
export async function serveAnswer(served: Verifiable, deps: ServeDeps): Promise<void> {
  if (served.isStreamed) await serveStream(served, deps)
  else await serveWhole(served, deps)
}

/** What of a chunk the user sees. */
function createView({ request, wantsLogprobs, wantsTokenIds }: Verifiable): (data: string) => string {
  if (!wantsLogprobs) return withoutLogprobs
  return request.endpoint === 'chat' && !wantsTokenIds ? withReadableTokens : (data) => data
}

/** @param asked miners that were asked already; the new ones are added. */
async function ask(served: Verifiable, deps: ServeDeps, asked: Set<string>): Promise<Attempt<AnswerPiece>> {
  const { request, signal, progress } = served
  const atMs = deps.clock.now()
  try {
    return await deps.asking.answer(request, {
      ...{ signal, asked },
      onFailed: (failed) => {
        progress.failures.set(failed.failure, failed.miner.uid)
        noteFailure(deps, { ...served, atMs }, failed)
      },
      onHedged: () => progress.hedges++,
    })
  } finally {
    progress.attempts = asked.size
  }
}

/** The first token decides which miner answers; what breaks later is told in the stream. */
async function serveStream(served: Verifiable, deps: ServeDeps): Promise<void> {
  const { response, signal, progress, wantsUsage } = served
  const show = createView(served)
  const attempt = await ask(served, deps, new Set())
  const stream = new UserStream(response, deps.clock, deps.stallMs, signal)
  const pieces = observeAnswer(attempt, served, deps)
  try {
    stream.begin(answerHeaders(served, attempt.miner, EVENT_STREAM, deps))
    for await (const { data, isUsage } of pieces) {
      if (isUsage && !wantsUsage) continue
      await stream.write(eventOf(show(data)))
    }
    await stream.write('data: [DONE]\n\n')
    stream.end()
  } catch (error) {
    if (error instanceof MinerFailure) progress.failures.set(error, attempt.miner.uid)
    const shown = gatewayErrorOf(error)
    if (signal.aborted || shown === undefined) stream.cut()
    else {
      response.write(eventOf(JSON.stringify(shown.body)))
      stream.end()
    }
    throw error
  } finally {
    attempt.abort()
    await pieces.return()
  }
}

/** Nothing is sent before the answer is whole, so another miner can take over until then. */
async function serveWhole(served: Verifiable, deps: ServeDeps): Promise<void> {
  const { response, request, progress, signal, wantsLogprobs } = served
  const show = createView(served)
  const asked = new Set<string>()
  let last: MinerFailure | undefined
  for (;;) {
    const attempt = await ask(served, deps, asked).catch((error: unknown) => {
      throw last !== undefined && error instanceof NoAnswer && error.failure === undefined ? last : error
    })
    try {
      const assembly = createAssembly(request.endpoint, wantsLogprobs)
      for await (const { data } of observeAnswer(attempt, served, deps))
        assembly.add(wantsLogprobs ? show(data) : data)
      const promptTokens = Math.min(served.promptTokens, progress.promptTokens ?? 0)
      const usage = usageOf(promptTokens, progress.tokens)
      const headers = answerHeaders(served, attempt.miner, 'application/json; charset=utf-8', deps)
      const stream = new UserStream(response, deps.clock, deps.stallMs, signal)
      await stream.writeWhole(headers, assembly.portions(usage))
      return
    } catch (error) {
      if (!(error instanceof MinerFailure)) throw error
      last = error
      progress.failures.set(error, attempt.miner.uid)
      // The user has seen nothing of it and is not charged.
      progress.firstTokenMs = undefined
      progress.tokens = 0
    }
  }
}

function usageOf(prompt: number, completion: number) {
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion }
}
