import type { Dispatcher } from 'undici'
import {
  allowManyListeners,
  type Clock,
  exceedsJsonDepth,
  isDescriptorShortage,
  messageOf,
} from '../kernel/index.js'
import type { AnswerReader } from './answer-reader.js'
import { parseChunkJson } from './chunk-json.js'
import { ERROR_BODY_BYTES } from './error-text.js'
import { EventStream, EventStreamError } from './event-stream.js'
import type { StreamLimits } from './limits.js'
import { PacedWork } from './paced-work.js'
import { checkResponseHead, errorResponseFault } from './response-head.js'
import { StreamDeadlines } from './stream-deadlines.js'
import type { Answer, StreamFault } from './types.js'

export interface MinerStreamOptions {
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

/** Responses with a 1xx status before the final one (103 Early Hints and the like): a server sends one or two. */
const INTERIM_RESPONSES = 16
/** Lists and objects in one another; a chunk of vLLM with all its fields has nine. */
const EVENT_DEPTH = 32
/** Bytes of a line besides its tokens, and for each token that it may hold: a server that lags sends many in one chunk. */
const LINE_BYTES = 16 * 1024
const TOKEN_BYTES = 256
/** Bytes that wait to be read, beyond which no more are taken from the connection; an honest stream is far below. */
const PAUSE_BYTES = 256 * 1024
/**
 * Most of the time of one event that counts as parsing, by its length; it costs a tenth of this. The rest was a pause of this
 * process: on a busy machine an event of any miner may seem to take milliseconds.
 */
const EVENT_MS = 0.1
const CHARACTER_MS = 0.0001
/** Allowed for each event that was asked for, beside `parsingMs`: an honest one of 500 characters is charged no more. */
const ALLOWED_MS = 0.15

/**
 * Sends one signed POST and reads its event stream. The arrival of every piece is stamped in the socket's own event, before
 * anything is parsed; parsing takes a bounded share of each turn of the event loop, so that no stream delays the stamps of
 * another.
 *
 * @throws whatever `onText` throws; faults of the miner are in the answer.
 */
export function streamAnswer(options: MinerStreamOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    new MinerStream(options, resolve, reject).start()
  })
}

class MinerStream implements Dispatcher.DispatchHandler {
  readonly #events: EventStream
  readonly #deadlines: StreamDeadlines
  #controller: Dispatcher.DispatchController | undefined
  #writtenMs: number | undefined
  #status = 0
  #interimResponses = 0
  /** Set once the status is not 200. */
  #errorBody: Buffer[] | undefined
  readonly #work: PacedWork
  #unreadBytes = 0
  #parsingMs = 0
  readonly #allowedMs: number
  #isSettled = false

  constructor(
    private readonly options: MinerStreamOptions,
    private readonly resolve: (answer: Answer) => void,
    private readonly reject: (error: unknown) => void,
  ) {
    const { clock, limits, maxEvents } = options
    const events = maxEvents + limits.extraEvents
    this.#allowedMs = Math.round(limits.parsingMs + ALLOWED_MS * events)
    this.#events = new EventStream({
      lineBytes: Math.min(limits.lineBytes, LINE_BYTES + maxEvents * TOKEN_BYTES),
      streamBytes: limits.streamBytes,
      events,
    })
    this.#work = new PacedWork(clock)
    this.#deadlines = new StreamDeadlines(
      clock,
      limits,
      clock.monotonic(),
      (fault) => this.#end(fault, fault ? clock.monotonic() : this.#deadlines.drainStartMs),
      () => this.#work.whenDone(),
    )
  }

  start() {
    const { signal, dispatcher } = this.options
    if (signal?.aborted) return this.#onAbort()
    if (signal) allowManyListeners(signal)
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    try {
      dispatcher.dispatch(dispatchOptions(this.options), this)
    } catch (error) {
      this.#end(connectionFault(error))
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController) {
    this.#controller = controller
    if (this.#isSettled) return controller.abort(new Error('settled before the request was sent'))
    // undici writes the head in this same turn of the event loop.
    this.#writtenMs = this.options.clock.monotonic()
    this.#deadlines.requestWritten(this.#writtenMs)
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ) {
    if (this.#isSettled) return
    if (status < 200) {
      if (++this.#interimResponses <= INTERIM_RESPONSES) return
      return this.#end({ cause: 'STREAM_LIMIT', detail: `more than ${INTERIM_RESPONSES} interim responses` })
    }
    this.#status = status
    const fault = checkResponseHead(status, headers)
    if (fault) return this.#end(fault)
    if (status !== 200) this.#errorBody = []
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer) {
    const atMs = this.options.clock.monotonic()
    if (this.#isSettled) return
    if (this.#errorBody) return this.#readErrorBody(this.#errorBody, chunk, atMs)
    if (this.#deadlines.isDraining) return this.#end(undefined, this.#deadlines.drainStartMs)
    try {
      const events = this.#events.push(chunk)
      this.#unreadBytes += chunk.length
      this.#work.add(() => {
        const hasMore = this.#readSome(events, atMs)
        if (!hasMore) this.#countRead(chunk.length)
        return hasMore
      })
      if (this.#unreadBytes > PAUSE_BYTES) this.#controller?.pause()
    } catch (error) {
      this.#finally(() => this.#fail(error, atMs))
    }
  }

  onResponseEnd() {
    const atMs = this.options.clock.monotonic()
    if (this.#errorBody) return this.#end(errorResponseFault(this.#status, this.#errorBody), atMs, true)
    this.#finally(() => this.#end(undefined, this.#deadlines.drainStartMs ?? atMs, true))
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error) {
    const atMs = this.options.clock.monotonic()
    this.#finally(() => {
      if (this.#deadlines.isDraining) return this.#end(undefined, this.#deadlines.drainStartMs)
      if (this.#errorBody) return this.#end(errorResponseFault(this.#status, this.#errorBody), atMs)
      this.#end(connectionFault(error), atMs)
    })
  }

  readonly #onAbort = () => this.#end({ cause: 'aborted', detail: 'the request was aborted' })

  /** Settles once. The connection is dropped unless the response is complete. */
  #end(fault: StreamFault | undefined, atMs = this.options.clock.monotonic(), isComplete = false): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#work.clear()
    this.#deadlines.stop()
    this.options.signal?.removeEventListener('abort', this.#onAbort)
    if (!isComplete) this.#controller?.abort(new Error(fault?.detail ?? 'the stream continued after its end'))
    const content = this.options.reader.finish(this.#writtenMs ?? atMs, atMs, fault)
    this.resolve({ ...content, status: this.#status })
  }

  #countRead(bytes: number) {
    this.#unreadBytes -= bytes
    if (this.#controller?.paused && !this.#isSettled && this.#unreadBytes <= PAUSE_BYTES)
      this.#controller.resume()
  }

  /** Ends the stream after all that has arrived is read. */
  #finally(end: () => void) {
    this.#work.add(() => {
      end()
      return false
    })
  }

  /** @returns true while there is more to read. */
  #readSome(events: Iterator<string | undefined>, atMs: number): boolean {
    try {
      const { done, value } = events.next()
      if (value !== undefined) this.#readEvent(value, atMs)
      return done !== true
    } catch (error) {
      this.#fail(error, atMs)
      return false
    }
  }

  #fail(error: unknown, atMs: number) {
    if (error instanceof EventStreamError)
      return this.#end({ cause: error.kind, detail: error.message }, atMs)
    // Thrown by our own code (a caller's onText), so it is not the miner's fault.
    this.reject(error)
    this.#end({ cause: 'aborted', detail: messageOf(error) }, atMs)
  }

  #readEvent(data: string, atMs: number) {
    if (this.#deadlines.isDraining) return this.#end(undefined, this.#deadlines.drainStartMs)
    if (data.startsWith('[DONE]')) return this.#deadlines.lastEventRead(atMs)
    const { clock, reader, onText } = this.options
    const startMs = clock.monotonic()
    const accepted = reader.accept(atMs, parseChunk(data))
    const mostMs = EVENT_MS + data.length * CHARACTER_MS
    this.#parsingMs += Math.min(mostMs, clock.monotonic() - startMs)
    if ('cause' in accepted) return this.#end(accepted, atMs)
    if (accepted.hasContent) this.#deadlines.tokenRead(atMs)
    if (this.#parsingMs > this.#allowedMs)
      throw new EventStreamError('STREAM_LIMIT', `the stream took more than ${this.#allowedMs} ms to parse`)
    if (accepted.text !== '') onText?.(accepted.text)
  }

  #readErrorBody(parts: Buffer[], chunk: Buffer, atMs: number): void {
    parts.push(Buffer.from(chunk.subarray(0, ERROR_BODY_BYTES)))
    if (parts.reduce((sum, part) => sum + part.length, 0) >= ERROR_BODY_BYTES)
      this.#end(errorResponseFault(this.#status, parts), atMs)
  }
}

/** A miner that this process could not even connect to has done nothing wrong. */
function connectionFault(error: unknown): StreamFault {
  return { cause: isDescriptorShortage(error) ? 'aborted' : 'BAD_STREAM', detail: messageOf(error) }
}

function dispatchOptions(options: MinerStreamOptions): Dispatcher.DispatchOptions {
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
    // Never reuses a connection: one the miner closes at this moment would look like the miner's failure.
    reset: true,
    headersTimeout: 0,
    bodyTimeout: 0,
  }
}

function parseChunk(data: string): unknown {
  if (exceedsJsonDepth(data, EVENT_DEPTH))
    throw new EventStreamError('STREAM_LIMIT', `the stream had an event nested deeper than ${EVENT_DEPTH}`)
  try {
    return parseChunkJson(data)
  } catch {
    throw new EventStreamError('BAD_STREAM', 'a chunk is not JSON')
  }
}
