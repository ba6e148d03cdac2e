import type { Dispatcher } from 'undici'
import { type Clock, withDeadline } from '../kernel/index.js'
import { ERROR_BODY_BYTES } from './error-text.js'
import { checkResponseHead, errorResponseFault } from './response-head.js'

export interface CollectOptions {
  readonly dispatcher: Dispatcher
  readonly clock: Clock
  readonly origin: string
  readonly path: string
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | undefined
  /** For the whole call, from connecting to the last byte. */
  readonly timeoutMs: number
  readonly maxBytes: number
  readonly signal: AbortSignal | undefined
}

/** The server answered with a status that is not 200; the message has the sentence it sent. */
export class ErrorResponse extends Error {
  constructor(
    readonly status: number,
    body: readonly Buffer[],
  ) {
    super(errorResponseFault(status, body).detail)
  }
}

/**
 * Sends a small request to a miner and returns the body, bounded in bytes and in total time. Redirects and encoded bodies
 * are rejected.
 *
 * @throws ErrorResponse for another status than 200; Error with a short reason unless a complete response arrives; the abort reason
 */
export async function collectBody(options: CollectOptions): Promise<Buffer> {
  const { clock, timeoutMs, signal } = options
  return withDeadline(clock, `${options.method} ${options.path}`, timeoutMs, signal, (inner) =>
    collect(options, inner),
  )
}

function collect(options: CollectOptions, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    let bytes = 0
    let errorStatus: number | undefined
    let connection: Dispatcher.DispatchController | undefined
    const fail = (error: Error) => {
      reject(error)
      connection?.abort(error)
    }
    signal.addEventListener('abort', () => fail(toError(signal.reason)), {
      once: true,
    })
    options.dispatcher.dispatch(
      {
        origin: options.origin,
        path: options.path,
        method: options.method,
        headers: { accept: 'application/json', 'accept-encoding': 'identity', ...options.headers },
        body: options.body ?? null,
        reset: true,
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      {
        onRequestStart(controller) {
          connection = controller
          if (signal.aborted) controller.abort(new Error('aborted'))
        },
        onResponseStart(_, status, headers) {
          if (status < 200) return
          const fault = checkResponseHead(status, { ...headers, 'content-type': undefined })
          if (fault) fail(new Error(fault.detail))
          else if (status !== 200) errorStatus = status
        },
        onResponseData(_, chunk) {
          bytes += chunk.length
          if (errorStatus !== undefined) {
            parts.push(Buffer.from(chunk.subarray(0, ERROR_BODY_BYTES)))
            if (bytes >= ERROR_BODY_BYTES) fail(new ErrorResponse(errorStatus, parts))
          } else if (bytes > options.maxBytes) fail(new Error(`answered more than ${options.maxBytes} bytes`))
          else parts.push(Buffer.from(chunk))
        },
        onResponseEnd: () => {
          if (errorStatus !== undefined) reject(new ErrorResponse(errorStatus, parts))
          else resolve(Buffer.concat(parts))
        },
        onResponseError: (_, error) =>
          reject(errorStatus === undefined ? error : new ErrorResponse(errorStatus, parts)),
      },
    )
  })
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason })
}
