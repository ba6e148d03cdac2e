import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { Dispatcher } from 'undici'
import type { Clock } from '../clock.js'
import { messageOf } from '../errors.js'
import type { Timed } from './deadlines.js'
import type { RoutingLimits } from './types.js'
import type { Upstream } from './upstream.js'

/** How one attempt at one upstream ended. After `retry` nothing has been sent to the caller. */
export type RelayEnd =
  | { readonly kind: 'done'; readonly status: number; readonly bytes: number; readonly firstByteMs: number }
  | { readonly kind: 'retry'; readonly reason: string; readonly cause: 'answer' | 'connection' | 'timeout' }
  | { readonly kind: 'broken'; readonly reason: string; readonly bytes: number }
  | { readonly kind: 'caller-gone'; readonly reason: string; readonly bytes: number }

/** Headers of an upstream's answer that reach the caller; everything else stays inside. */
const PASSED_HEADERS = [
  'content-type',
  'content-length',
  'content-encoding',
  'cache-control',
  'retry-after',
] as const

export interface RelayOptions {
  readonly clock: Clock
  readonly limits: RoutingLimits
  readonly response: ServerResponse
  readonly isStreamed: boolean
  /** True while another upstream could still answer instead of this one. */
  readonly hasOther: () => boolean
  readonly onEnd: (end: RelayEnd) => void
}

/**
 * Bytes from an upstream to a caller as they come: status, type and timing of chunks kept, nothing parsed. Holds the head
 * back until the first byte of the body, so that another upstream may still answer up to then.
 */
export class Relay implements Dispatcher.DispatchHandler, Timed {
  readonly #options: RelayOptions
  readonly #startedAt: number
  #lastByteAt: number
  /** Since when the caller takes nothing more. */
  #blockedAt: number | undefined
  #firstByteMs = -1
  #bytes = 0
  #pending: Buffer[] = []
  #status = 0
  #headers: Record<string, string> = {}
  #controller: Dispatcher.DispatchController | undefined
  #isOver = false

  constructor(options: RelayOptions) {
    this.#options = options
    this.#startedAt = options.clock.monotonic()
    this.#lastByteAt = this.#startedAt
    options.response.on('drain', this.#onDrain).on('close', this.#onClose)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#isOver) controller.abort(new Error('over before it began'))
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200 || this.#isOver) return
    const unfit = unfitReason(status)
    if (unfit !== undefined && (unfit.always || this.#options.hasOther())) {
      this.#finish({ kind: 'retry', reason: unfit.reason, cause: 'answer' })
      return
    }
    this.#status = status
    for (const name of PASSED_HEADERS) {
      const value = headers[name]
      if (typeof value === 'string') this.#headers[name] = value
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isOver) return
    this.#lastByteAt = this.#options.clock.monotonic()
    this.#sendHead()
    this.#bytes += chunk.length
    this.#pending.push(chunk)
    // One read of the socket may hold many chunks: they go on together once it is parsed, in the same turn of the loop.
    if (this.#pending.length === 1) queueMicrotask(() => this.#flush(controller))
  }

  onResponseEnd(): void {
    if (this.#isOver) return
    this.#sendHead()
    this.#options.response.end(this.#takePending())
    this.#finish({ kind: 'done', status: this.#status, bytes: this.#bytes, firstByteMs: this.#firstByteMs })
  }

  onResponseError(_: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#isOver) return
    const reason = messageOf(error)
    if (this.#firstByteMs < 0) this.#finish({ kind: 'retry', reason, cause: 'connection' })
    else this.#break(reason)
  }

  check(nowMs: number): void {
    const { limits, isStreamed } = this.#options
    if (nowMs - this.#startedAt >= limits.totalTimeoutMs) this.#expire('the answer took too long as a whole')
    else if (this.#blockedAt !== undefined) {
      if (nowMs - this.#blockedAt >= limits.readerTimeoutMs) this.#leave('the caller does not read')
    } else if (this.#firstByteMs >= 0) {
      if (nowMs - this.#lastByteAt >= limits.gapTimeoutMs) this.#expire('the upstream fell silent')
    } else if (isStreamed && nowMs - this.#startedAt >= limits.firstByteTimeoutMs) {
      this.#expire('the upstream sent no first byte in time')
    }
  }

  /** Cuts the answer: the process drains and its time is up. */
  cut(): void {
    if (this.#firstByteMs < 0) this.#leave('the miner shuts down')
    else this.#break('the miner shuts down')
  }

  #flush(controller: Dispatcher.DispatchController): void {
    const bytes = this.#takePending()
    if (this.#isOver || bytes === undefined || this.#options.response.write(bytes)) return
    this.#blockedAt = this.#lastByteAt
    controller.pause()
  }

  #takePending(): Buffer | undefined {
    const [only] = this.#pending
    if (only === undefined) return undefined
    const bytes = this.#pending.length === 1 ? only : Buffer.concat(this.#pending)
    this.#pending = []
    return bytes
  }

  #sendHead(): void {
    if (this.#firstByteMs >= 0) return
    this.#firstByteMs = this.#options.clock.monotonic() - this.#startedAt
    this.#options.response.writeHead(this.#status, this.#headers)
  }

  #expire(reason: string): void {
    if (this.#firstByteMs < 0) this.#finish({ kind: 'retry', reason, cause: 'timeout' })
    else this.#break(reason)
  }

  /** The caller must see that the answer is not whole: the connection is cut, never ended well. */
  #break(reason: string): void {
    this.#finish({ kind: 'broken', reason, bytes: this.#bytes })
    this.#options.response.destroy()
  }

  #leave(reason: string): void {
    this.#finish({ kind: 'caller-gone', reason, bytes: this.#bytes })
    this.#options.response.destroy()
  }

  #finish(end: RelayEnd): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#options.response.off('drain', this.#onDrain).off('close', this.#onClose)
    if (end.kind !== 'done') this.#controller?.abort(new Error(end.reason))
    this.#options.onEnd(end)
  }

  readonly #onDrain = () => {
    this.#blockedAt = undefined
    this.#lastByteAt = this.#options.clock.monotonic()
    this.#controller?.resume()
  }

  readonly #onClose = () => {
    this.#finish({ kind: 'caller-gone', reason: 'the caller left', bytes: this.#bytes })
  }
}

/** Answers another upstream may do better; `always` = never fit for the caller, for they speak of our own set-up. */
function unfitReason(status: number): { readonly reason: string; readonly always: boolean } | undefined {
  if (status >= 500 || status === 429) return { reason: `it answered ${status}`, always: false }
  if (status === 401 || status === 403) return { reason: `it refuses our key (${status})`, always: true }
  if (status >= 300 && status < 400)
    return { reason: `it answered with a redirect (${status})`, always: true }
  return undefined
}

/** Sends the request upstream; the relay hears everything that follows. */
export function dispatchRelay(upstream: Upstream, path: string, body: Buffer, relay: Relay): void {
  upstream.streams.dispatch(
    {
      path: `${upstream.basePath}${path}`,
      method: 'POST',
      headers: upstream.streamHeaders,
      body,
    },
    relay,
  )
}
