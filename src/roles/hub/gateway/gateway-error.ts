import type { LimitReason, Refusal } from '../../../accounts/index.js'
import { isAbort, TargonError } from '../../../kernel/index.js'
import { errorType, openAiError } from '../../../routing/index.js'
import { MinerFailure, NoAnswer } from '../asking/index.js'

interface ErrorFacts {
  readonly code: string
  readonly type?: string
  /** The member of the request at fault. */
  readonly param?: string
  readonly retryAfterMs?: number | undefined
}

/** What a user is answered instead of what was asked. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError'
  constructor(
    readonly status: number,
    message: string,
    readonly facts: ErrorFacts,
  ) {
    super(message)
  }

  /** In OpenAI's shape. */
  get body(): ReturnType<typeof openAiError> {
    const { code, param, type = errorType(this.status) } = this.facts
    return openAiError({ message: this.message, type, code, ...(param === undefined ? {} : { param }) })
  }

  /** Seconds, for the header of that name. */
  get retryAfter(): number | undefined {
    const { retryAfterMs } = this.facts
    return retryAfterMs === undefined ? undefined : Math.max(1, Math.ceil(retryAfterMs / 1000))
  }
}

export const invalidKey = (message: string) => new GatewayError(401, message, { code: 'invalid_api_key' })

export const invalidBody = (message: string, param?: string) =>
  new GatewayError(400, message, { code: 'invalid_request', ...(param === undefined ? {} : { param }) })

export const bodyTooLarge = (bytes: number) =>
  new GatewayError(413, `The request body may have at most ${bytes} bytes.`, { code: 'request_too_large' })

export const modelNotFound = (model: string) =>
  new GatewayError(
    404,
    `No miner serves the model ${quote(model)} now. GET /v1/models lists those that are served.`,
    {
      code: 'model_not_found',
      param: 'model',
    },
  )

export const modelNotAllowed = (model: string) =>
  new GatewayError(403, `This API key may not use the model ${quote(model)}.`, {
    code: 'model_not_allowed',
    param: 'model',
  })

export const routeNotFound = () =>
  new GatewayError(
    404,
    'The hub serves POST /v1/chat/completions, /v1/completions, /v1/embeddings, /v1/responses and /v1/messages, and GET /v1/models.',
    { code: 'not_found' },
  )

/** A defect of the hub. */
export const internalError = () =>
  new GatewayError(
    500,
    'The hub had an internal error. Try again; if it happens again, send its operator the x-request-id of this answer.',
    { code: 'internal_error' },
  )

const RETRY_SOON_MS = 5000

export const overloaded = () =>
  new GatewayError(503, 'The hub is at its limit of concurrent requests. Try again later.', {
    code: 'hub_overloaded',
    retryAfterMs: RETRY_SOON_MS,
  })

export const stopping = () =>
  new GatewayError(503, 'The hub is shutting down. Try again later.', {
    code: 'hub_stopping',
    retryAfterMs: RETRY_SOON_MS,
  })

export const tooManyFailures = () =>
  new GatewayError(
    429,
    'Too many requests with an invalid API key came from this address. Try again later.',
    {
      code: 'rate_limit_exceeded',
      retryAfterMs: 1000,
    },
  )

export const tooManyRefusals = () =>
  new GatewayError(
    429,
    'Many requests of this API key were refused just now. Correct them, or wait before you send more.',
    { code: 'rate_limit_exceeded', retryAfterMs: 1000 },
  )

const LIMITS: Readonly<
  Record<Exclude<LimitReason, 'model'>, readonly [status: number, code: string, message: string]>
> = {
  requests: [429, 'rate_limit_exceeded', 'This API key has reached its limit of requests per minute.'],
  'tokens-per-day': [
    429,
    'rate_limit_exceeded',
    'This API key has reached its limit of tokens per day, which starts again at 00:00 UTC.',
  ],
  concurrent: [429, 'rate_limit_exceeded', 'This API key has reached its limit of concurrent requests.'],
  budget: [
    429,
    'insufficient_quota',
    'What is left of the token budget of this API key does not cover this request. Lower max_tokens, or ask the operator of the hub for a larger budget.',
  ],
  expired: [401, 'invalid_api_key', 'This API key has expired.'],
  revoked: [401, 'invalid_api_key', 'This API key has been revoked.'],
}

/** @param model that was asked for */
export function limitReached({ reason, retryAfterMs }: Refusal, model: string): GatewayError {
  if (reason === 'model') return modelNotAllowed(model)
  const [status, code, message] = LIMITS[reason]
  return new GatewayError(status, message, {
    code,
    retryAfterMs,
    ...(code === 'insufficient_quota' ? { type: code } : {}),
  })
}

/** Whether the user or a limit is at fault, or the hub or its miners. */
export function outcomeOf({ status }: GatewayError): 'refused' | 'failed' {
  return status < 500 ? 'refused' : 'failed'
}

/** The error a user sees for anything thrown; undefined for a defect, which is logged. */
export function gatewayErrorOf(error: unknown): GatewayError | undefined {
  if (error instanceof GatewayError) return error
  if (error instanceof NoAnswer) return noAnswer(error)
  if (error instanceof MinerFailure) return minerFailed(error)
  if (error instanceof TargonError && error.code === 'ACCOUNTS_UNAVAILABLE')
    return new GatewayError(503, 'API keys cannot be checked now. Try again later.', {
      code: 'accounts_unavailable',
      retryAfterMs: RETRY_SOON_MS,
    })
  return isAbort(error) ? stopping() : undefined
}

function noAnswer({ failure }: NoAnswer): GatewayError {
  if (failure !== undefined) return minerFailed(failure)
  return new GatewayError(503, 'No miner that serves this model can be asked now. Try again later.', {
    code: 'no_miner',
    retryAfterMs: RETRY_SOON_MS,
  })
}

/** A miner's own sentence is shown only where it explains what is wrong with the request. */
function minerFailed({ kind, message }: MinerFailure): GatewayError {
  if (kind === 'refused') return new GatewayError(400, `${message}.`, { code: 'miner_refused' })
  if (kind === 'absent')
    return new GatewayError(404, 'No miner serves this route for this model.', { code: 'model_not_found' })
  if (kind === 'busy')
    return new GatewayError(503, 'All miners that were asked are busy. Try again later.', {
      code: 'miners_busy',
      retryAfterMs: RETRY_SOON_MS,
    })
  if (kind === 'late') return new GatewayError(504, `${message}.`, { code: 'miner_timeout' })
  return new GatewayError(502, 'The miners that were asked failed to answer. Try again.', {
    code: 'miner_failed',
  })
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 200))
}
