import type { ServerResponse } from 'node:http'
import type { ApiKey, Reservation } from '../../../accounts/index.js'
import { isAbort } from '../../../kernel/index.js'
import { UserStalled } from '../asking/index.js'
import { ID_HEADER } from './early-answers.js'
import {
  type GatewayError,
  gatewayErrorOf,
  internalError,
  limitReached,
  modelNotAllowed,
  modelNotFound,
  outcomeOf,
} from './gateway-error.js'
import { type ReadRequest, type Route, readUserRequest } from './read-request.js'
import { serveAnswer, type Verifiable } from './serve-answer.js'
import { servePlain } from './serve-plain.js'
import type { Progress, RequestEnd, ServeDeps, Served } from './types.js'

/** A request of a user whose key is valid. */
export interface Incoming {
  readonly id: string
  readonly route: Route
  readonly path: string
  readonly key: ApiKey
  readonly body: Buffer
  readonly response: ServerResponse
  /** Aborts when the user leaves, or the hub has drained. */
  readonly signal: AbortSignal
}

/** Tokens of a prompt whose miner did not count them, at about four bytes each. */
const BYTES_PER_TOKEN = 4

/** Told in the log of one request. */
const MAX_CAUSES = 10

/** Answers a request, whatever happens. Never rejects. */
export async function serveRequest(incoming: Incoming, deps: ServeDeps): Promise<void> {
  const { id, response, signal, path } = incoming
  const progress: Progress = {
    ...{ attempts: 0, hedges: 0, failures: new Map(), startMs: deps.clock.monotonic() },
    ...{ firstTokenMs: undefined, promptTokens: undefined, tokens: 0 },
  }
  let model: string | undefined
  const end = (outcome: RequestEnd['outcome'], code?: string) => {
    const { attempts, hedges, firstTokenMs, startMs, tokens, promptTokens = 0 } = progress
    const totalMs = deps.clock.monotonic() - startMs
    deps.onEnd({
      id,
      key: incoming.key.id,
      route: path,
      model,
      outcome,
      code,
      causes: causesOf(progress),
      attempts,
      hedges,
      firstTokenMs,
      totalMs,
      promptTokens,
      tokens,
    })
  }
  try {
    const read = readUserRequest(incoming.route, path, incoming.body, deps.sampling)
    const known = checkModel(read, incoming.key, deps)
    model = known
    await serveReserved({ ...incoming, ...read, id, progress }, deps)
    end('answered')
  } catch (error) {
    if (hasLeft(signal, error)) {
      response.destroy()
      end('left')
      return
    }
    const shown = gatewayErrorOf(error)
    if (shown === undefined)
      deps.log.error(
        { event: 'hub-request-broke', id, err: error },
        'a request failed for an unexpected reason',
      )
    const answered = shown ?? internalError()
    if (response.headersSent) response.end()
    else if (!response.destroyed) sendError(response, id, answered)
    end(outcomeOf(answered), answered.facts.code)
  }
}

/** The hub stops with an AbortError; any other abort is the user’s own doing. */
function hasLeft(signal: AbortSignal, error: unknown): boolean {
  return error instanceof UserStalled || (signal.aborted && !isAbort(signal.reason))
}

/** Of miners that failed, the last ones. */
function causesOf({ failures }: Progress): RequestEnd['causes'] {
  return [...failures].slice(-MAX_CAUSES).map(([{ kind, reason }, uid]) => ({ uid, kind, reason }))
}

/** @returns the name of a model that is served. @throws GatewayError 403, 404 */
function checkModel({ request: { model } }: ReadRequest, { limits }: ApiKey, { miners }: ServeDeps): string {
  if (limits.models !== undefined && !limits.models.includes(model)) throw modelNotAllowed(model)
  if (!miners.models().includes(model)) throw modelNotFound(model)
  return model
}

/** Reserves what the request can use, serves it, and settles what it did use. */
async function serveReserved(served: Served, deps: ServeDeps): Promise<void> {
  const { key, request, signal, promptTokens, answerTokens, progress } = served
  const wanted = { model: request.model, tokens: promptTokens + answerTokens }
  const reservation = await deps.accounts.reserve(key, wanted, signal)
  if (reservation.kind === 'refused') throw limitReached(reservation, request.model)
  try {
    if (isVerifiable(served)) await serveAnswer(served, deps)
    else await servePlain(served, deps)
  } finally {
    settle(reservation, served, progress)
  }
}

function isVerifiable(served: Served): served is Verifiable {
  return served.request.endpoint !== undefined
}

/** Nothing is charged before the first token. What a miner claims is bounded by what was reserved. */
function settle(reservation: Reservation, served: Served, progress: Progress): void {
  const { promptTokens, answerTokens } = served
  const guess = Math.ceil(promptTokens / BYTES_PER_TOKEN)
  const prompt =
    progress.firstTokenMs === undefined ? 0 : Math.min(promptTokens, progress.promptTokens ?? guess)
  progress.promptTokens = prompt
  progress.tokens = Math.min(answerTokens, progress.tokens)
  void reservation.settle({ promptTokens: prompt, completionTokens: progress.tokens })
}

export function sendError(response: ServerResponse, id: string, error: GatewayError): void {
  const { status, body, retryAfter } = error
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    [ID_HEADER]: id,
    ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
  })
  response.end(JSON.stringify(body))
}
