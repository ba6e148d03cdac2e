import type { ServerResponse } from 'node:http'
import { writeOpenAiError } from './openai-error.js'
import type { Outcome } from './types.js'

/** Why a request got no answer from any upstream. */
export type UnavailableReason = 'unknown' | 'down' | 'full' | 'too-long' | 'timeout' | 'failed'

/** A lack that no body could change. */
export type ModelUnavailableReason = Extract<UnavailableReason, 'unknown' | 'down'>

type RefusedStatus = Extract<Outcome, { kind: 'refused' }>['status']

interface Answer {
  readonly status: RefusedStatus
  readonly message: string
  readonly type: string
  readonly code: string
  readonly retryAfter?: string
}

const BUSY: Answer = {
  status: 429,
  message: 'All servers of this model are busy. Try again shortly.',
  type: 'rate_limit_error',
  code: 'all_busy',
  retryAfter: '1',
}
const SILENT = {
  message: 'The server of this model gave no answer.',
  type: 'server_error',
  code: 'upstream_failed',
}

const ANSWERS: Readonly<Record<Exclude<UnavailableReason, 'unknown'>, Answer>> = {
  full: BUSY,
  'too-long': BUSY,
  down: {
    status: 503,
    message: 'No server of this model is up at the moment.',
    type: 'server_error',
    code: 'model_unavailable',
    retryAfter: '5',
  },
  timeout: { status: 504, ...SILENT },
  failed: { status: 502, ...SILENT },
}

/** Tells the caller, in OpenAI's error shape. `reason` is for the operator and stays inside. */
export function refuseUnavailable(
  response: ServerResponse,
  model: string,
  lack: UnavailableReason,
  reason: string,
): Outcome {
  if (lack === 'unknown') {
    const message = `The model ${JSON.stringify(model.slice(0, 200))} does not exist.`
    writeOpenAiError(response, 404, {
      message,
      type: 'invalid_request_error',
      code: 'model_not_found',
      param: 'model',
    })
    return { kind: 'refused', status: 404, reason: 'unknown model' }
  }
  const { status, retryAfter, ...error } = ANSWERS[lack]
  writeOpenAiError(response, status, error, retryAfter === undefined ? {} : { 'retry-after': retryAfter })
  return { kind: 'refused', status, reason: reason || lack }
}
