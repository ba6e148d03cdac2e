import type { Dispatcher } from 'undici'
import { type Clock, messageOf } from '../kernel/index.js'
import type { AnswerReader } from './answer-reader.js'
import { EventStream, EventStreamError } from './event-stream.js'
import type { StreamLimits } from './limits.js'
import { checkResponseHead, errorResponseFault } from './response-head.js'
import { createStreamWatch } from './stream-deadlines.js'
import type { Answer, StreamFault } from './types.js'

export interface ExchangeOptions {
  readonly dispatcher: Dispatcher
  readonly origin: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly maxEvents: number
  readonly limits: StreamLimits
  readonly clock: Clock
  readonly signal: AbortSignal | undefined
  readonly reader: AnswerReader
  readonly onText: ((text: string) => void) | undefined
}

/** Bytes of a refusal that are read for its text. */
const REFUSAL_BYTES = 4096
/** Responses before the response (103 Early Hints and the like): a server sends one or two. */
const INTERIM_RESPONSES = 16

/** One signed POST and its event stream. Every arrival is stamped in the socket's own event, before anything is parsed. */
export function runExchange(options: ExchangeOptions): Promise<Answer> {
  const { clock, limits, reader, signal } = options
  return new Promise((resolve, reject) => {
    const events = new EventStream({
      lineBytes: limits.lineBytes,
      streamBytes: limits.streamBytes,
      events: options.maxEvents + limits.extraEvents,
    })
    let controller: Dispatcher.DispatchController | undefined
    let writtenMs: number | undefined
    let status = 0
    let interims = 0
    let refusal: Buffer[] | undefined
    let settled = false
    const startMs = clock.monotonic()
    const watch = createStreamWatch(clock, limits, startMs, (fault) => {
      end(fault, fault ? clock.monotonic() : watch.drainedMs)
    })
    const onAbort = () => end({ cause: 'aborted', detail: 'the request was aborted' })

    /** Settles once. With a fault, or with bytes still to come, the connection is dropped. */
    function end(fault: StreamFault | undefined, atMs = clock.monotonic(), complete = false): void {
      if (settled) return
      settled = true
      watch.stop()
      signal?.removeEventListener('abort', onAbort)
      if (!complete) controller?.abort(new Error(fault?.detail ?? 'the stream went on after its end'))
      resolve({ ...reader.finish(writtenMs ?? atMs, atMs, fault), status })
    }

    function readEvents(chunk: Buffer, atMs: number): void {
      for (const data of events.push(chunk)) {
        if (data.startsWith('[DONE]')) {
          watch.drain(atMs)
          return
        }
        const accepted = reader.accept(atMs, parseChunk(data))
        if ('cause' in accepted) {
          end(accepted, atMs)
          return
        }
        if (accepted.carries) watch.progress(atMs)
        if (accepted.text !== '') options.onText?.(accepted.text)
      }
    }

    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(started) {
        controller = started
        if (settled) return started.abort(new Error('settled before it was sent'))
        // undici writes the head in this same turn of the loop.
        writtenMs = clock.monotonic()
        watch.written(writtenMs)
      },
      onResponseStart(_, statusCode, headers) {
        if (settled) return
        if (statusCode < 200) {
          if (++interims <= INTERIM_RESPONSES) return
          return end({ cause: 'STREAM_LIMIT', detail: `more than ${INTERIM_RESPONSES} interim responses` })
        }
        status = statusCode
        const fault = checkResponseHead(statusCode, headers)
        if (fault) return end(fault)
        if (statusCode !== 200) refusal = []
      },
      onResponseData(_, chunk) {
        const atMs = clock.monotonic()
        if (settled) return
        try {
          if (refusal) return collectRefusal(refusal, chunk, atMs)
          if (watch.draining) return end(undefined, watch.drainedMs)
          readEvents(chunk, atMs)
        } catch (error) {
          if (error instanceof EventStreamError)
            return end({ cause: error.kind, detail: error.message }, atMs)
          // A mistake of ours (a caller's onText): never the miner's fault.
          reject(error)
          end({ cause: 'aborted', detail: messageOf(error) }, atMs)
        }
      },
      onResponseEnd() {
        const atMs = clock.monotonic()
        if (refusal) return end(errorResponseFault(status, refusal), atMs, true)
        end(undefined, watch.drainedMs ?? atMs, true)
      },
      onResponseError(_, error) {
        if (watch.draining) return end(undefined, watch.drainedMs)
        end({ cause: 'BAD_STREAM', detail: messageOf(error) })
      },
    }

    function collectRefusal(parts: Buffer[], chunk: Buffer, atMs: number): void {
      parts.push(Buffer.from(chunk.subarray(0, REFUSAL_BYTES)))
      if (parts.reduce((sum, part) => sum + part.length, 0) >= REFUSAL_BYTES)
        end(errorResponseFault(status, parts), atMs)
    }

    if (signal?.aborted) return onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      options.dispatcher.dispatch(dispatchOptions(options), handler)
    } catch (error) {
      end({ cause: 'BAD_STREAM', detail: messageOf(error) })
    }
  })
}

function dispatchOptions(options: ExchangeOptions): Dispatcher.DispatchOptions {
  return {
    origin: options.origin,
    path: options.path,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      'accept-encoding': 'identity',
      ...options.headers,
    },
    body: options.body,
    // A connection of its own: a kept one that the miner closes at this moment would look like the miner's failure.
    reset: true,
    headersTimeout: 0,
    bodyTimeout: 0,
  }
}

function parseChunk(data: string): unknown {
  try {
    return JSON.parse(data)
  } catch {
    throw new EventStreamError('BAD_STREAM', 'a chunk is not JSON')
  }
}
