import { randomUUID } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { UnreadableAnswer, UnreadableReason } from '../../../kernel/index.js'
import { bodyTooLarge, GatewayError, gatewayErrorOf, internalError, outcomeOf } from './gateway-error.js'
import type { ServeDeps } from './types.js'

/** Names a request in its answer and in the hub's log. */
export const ID_HEADER = 'x-request-id'

export const newRequestId = () => `req_${randomUUID()}`

export interface EarlyDeps {
  readonly serve: Pick<ServeDeps, 'log' | 'onEnd'>
  readonly maxBodyBytes: number
}

/** Answers a request that is not served, because of its key, its size or its shape. */
export function answerError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  { serve, maxBodyBytes, keyId }: EarlyDeps & { readonly keyId?: string | undefined },
): FastifyReply {
  const { id } = request
  const shown = gatewayErrorOf(error) ?? errorOfServer(error, maxBodyBytes)
  if (shown === undefined)
    serve.log.error(
      { event: 'hub-request-broke', id, err: error },
      'a request failed for an unexpected reason',
    )
  const answered = shown ?? internalError()
  noteEnd(serve, id, keyId, request.routeOptions.url, answered)
  const { status, body, retryAfter } = answered
  reply.header(ID_HEADER, id)
  if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter))
  return reply.code(status).send(body)
}

/** Errors of Fastify itself. */
function errorOfServer(error: unknown, maxBodyBytes: number): GatewayError | undefined {
  const { code, statusCode } = error as { readonly code?: string; readonly statusCode?: number }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return bodyTooLarge(maxBodyBytes)
  if (statusCode === undefined || statusCode >= 500) return undefined
  return new GatewayError(
    statusCode,
    'The request is malformed: its headers or its body do not fit together.',
    { code: 'invalid_request' },
  )
}

const UNREADABLE: Readonly<Record<UnreadableReason, () => GatewayError>> = {
  malformed: () => new GatewayError(400, 'The request is not valid HTTP/1.1.', { code: 'invalid_request' }),
  'headers-too-large': () =>
    new GatewayError(431, 'The headers of the request are too large.', { code: 'headers_too_large' }),
  'too-slow': () =>
    new GatewayError(408, 'The request did not arrive in time. Send it again.', { code: 'request_timeout' }),
}

/** What is answered to bytes that are not a request. */
export function unreadableAnswer(reason: UnreadableReason, serve: EarlyDeps['serve']): UnreadableAnswer {
  const error = UNREADABLE[reason]()
  const id = newRequestId()
  noteEnd(serve, id, undefined, undefined, error)
  return { status: error.status, body: JSON.stringify(error.body), headers: { [ID_HEADER]: id } }
}

function noteEnd(
  { onEnd }: EarlyDeps['serve'],
  id: string,
  key: string | undefined,
  route: string | undefined,
  error: GatewayError,
): void {
  onEnd({
    ...{ id, key, model: undefined, outcome: outcomeOf(error), code: error.facts.code, causes: [] },
    // strangers choose the paths of routes that do not exist
    route: route ?? 'other',
    ...{ attempts: 0, hedges: 0, firstTokenMs: undefined, totalMs: 0, promptTokens: 0, tokens: 0 },
  })
}
