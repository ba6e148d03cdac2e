import type { ServerResponse } from 'node:http'
import { type OpenAiError, openAiError } from './openai-error.js'
import type { Outcome } from './types.js'

/** Why no upstream answered a request. */
export type UnavailableReason =
  | 'unknown'
  | 'down'
  | 'full'
  | 'queue-timeout'
  | 'timeout'
  | 'failed'
  | 'shortage'
  | 'silent'

/** A reason that holds for every request for the model, whatever its body. */
export type ModelUnavailableReason = Extract<UnavailableReason, 'unknown' | 'down'>

interface Reply extends OpenAiError {
  readonly status: Extract<Outcome, { kind: 'refused' }>['status']
  readonly retryAfter?: string
}

const BUSY: Reply = {
  status: 429,
  message: 'All servers of this model are busy. Try again shortly.',
  type: 'rate_limit_error',
  code: 'all_busy',
  retryAfter: '1',
}
const UPSTREAM_FAILED = {
  message: 'The server of this model gave no answer.',
  type: 'server_error',
  code: 'upstream_failed',
}

const REPLIES: Readonly<Record<Exclude<UnavailableReason, 'unknown'>, Reply>> = {
  full: BUSY,
  'queue-timeout': BUSY,
  down: {
    status: 503,
    message: 'No server of this model is up at the moment.',
    type: 'server_error',
    code: 'model_unavailable',
    retryAfter: '5',
  },
  /** This process has no file descriptor left for a connection to a server. */
  shortage: {
    status: 503,
    message: 'This miner has too many connections. Try again shortly.',
    type: 'server_error',
    code: 'too_many_connections',
    retryAfter: '1',
  },
  /** The process that counts the places at the servers did not answer in time. */
  silent: {
    status: 503,
    message: 'This miner could not choose a server in time. Try again shortly.',
    type: 'server_error',
    code: 'no_decision',
    retryAfter: '1',
  },
  timeout: { status: 504, ...UPSTREAM_FAILED },
  failed: { status: 502, ...UPSTREAM_FAILED, retryAfter: '5' },
}

/** Writes the refusal. `detail` is for the operator's log; the caller does not see it. */
export function refuseUnavailable(
  response: ServerResponse,
  model: string,
  reason: UnavailableReason,
  detail: string,
): Outcome {
  if (reason === 'unknown') {
    const message = `The model ${JSON.stringify(model.slice(0, 200))} does not exist.`
    writeOpenAiError(response, 404, {
      message,
      type: 'invalid_request_error',
      code: 'model_not_found',
      param: 'model',
    })
    return { kind: 'refused', status: 404, reason: 'unknown model' }
  }
  const { status, retryAfter, ...error } = REPLIES[reason]
  writeOpenAiError(response, status, error, retryAfter === undefined ? {} : { 'retry-after': retryAfter })
  return { kind: 'refused', status, reason: detail || reason }
}

function writeOpenAiError(
  response: ServerResponse,
  status: number,
  error: OpenAiError,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent || response.destroyed) return
  const body = JSON.stringify(openAiError(error))
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  })
  response.end(body)
}
