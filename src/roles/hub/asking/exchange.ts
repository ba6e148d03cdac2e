import type { Dispatcher } from 'undici'
import { checkResponseHead, readErrorText } from '../../../inference/index.js'
import { type Clock, messageOf } from '../../../kernel/index.js'
import { kindOfStatus, MinerFailure } from './miner-failure.js'
import { QuietWatch } from './quiet-watch.js'
import { UserStalled } from './user-stalled.js'

/** Bounds on one answer. */
export interface ExchangeLimits {
  /** From the request to the first progress. */
  readonly firstTokenMs: number
  /** Between two of them. */
  readonly gapMs: number
  /** From the request to the end, without the time in which the reader does not ask for more. That may last as long again. */
  readonly totalMs: number
  readonly bytes: number
}

export interface Exchange {
  readonly dispatcher: Dispatcher
  readonly origin: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly limits: ExchangeLimits
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Anything but an event stream is a fault. */
  readonly isStream: boolean
  /** Whether the pieces since the last call brought the answer forward. */
  readonly progressed: () => boolean
  readonly onHead?: (contentType: string) => void
}

/** Bytes read of the body of an error response. */
const ERROR_BYTES = 16 * 1024

type Response = Dispatcher.ResponseData

/**
 * One POST to a miner, and the pieces of its response as they arrive. While the reader does not ask for the next piece, no
 * more are taken from the connection and no time counts against the miner. Ending the iteration drops the connection.
 *
 * @throws MinerFailure; UserStalled when the reader took as long as the whole answer may; the reason of the signal
 */
export async function* exchange(options: Exchange): AsyncGenerator<Buffer, void> {
  const { clock, limits, signal } = options
  const dropped = new AbortController()
  const drop = (error: unknown) => dropped.abort(error)
  const onAbort = () => drop(signal.reason)
  signal.throwIfAborted()
  signal.addEventListener('abort', onAbort, { once: true })
  const miner = new QuietWatch(clock, (what) => drop(new MinerFailure('late', what)))
  const reader = new QuietWatch(clock, (what) => drop(new UserStalled(what)))
  const total = {
    miner: { leftMs: limits.totalMs, what: `The answer was not finished within ${limits.totalMs / 1000} s` },
    reader: { leftMs: limits.totalMs, what: `The user took more than ${limits.totalMs / 1000} s to read` },
  }
  let next = {
    leftMs: limits.firstTokenMs,
    what: `No token arrived within ${limits.firstTokenMs / 1000} s`,
  }
  const timed = async <T>(work: Promise<T>): Promise<T> => {
    const startMs = clock.monotonic()
    const { what, leftMs } = next.leftMs < total.miner.leftMs ? next : total.miner
    miner.expect(what, leftMs)
    const result = await work
    miner.relax()
    const passedMs = clock.monotonic() - startMs
    next.leftMs -= passedMs
    total.miner.leftMs -= passedMs
    return result
  }
  try {
    const pieces = (await timed(open(options, dropped.signal)))[Symbol.asyncIterator]()
    let bytes = 0
    for (;;) {
      const { done, value } = await timed(pieces.next())
      if (done) return
      bytes += value.length
      if (bytes > limits.bytes)
        throw new MinerFailure('failed', `The answer had more than ${limits.bytes} bytes`)
      const readyMs = clock.monotonic()
      reader.expect(total.reader.what, total.reader.leftMs)
      yield value
      reader.relax()
      total.reader.leftMs -= clock.monotonic() - readyMs
      dropped.signal.throwIfAborted()
      if (options.progressed())
        next = { leftMs: limits.gapMs, what: `No token arrived for ${limits.gapMs / 1000} s` }
    }
  } catch (error) {
    signal.throwIfAborted()
    if (dropped.signal.aborted) throw dropped.signal.reason
    if (error instanceof MinerFailure) throw error
    throw new MinerFailure('failed', `The connection failed: ${messageOf(error)}`, 0, { cause: error })
  } finally {
    signal.removeEventListener('abort', onAbort)
    miner.stop()
    reader.stop()
    drop(new Error('the answer is no longer wanted'))
  }
}

/** Sends the request and reads the head of the response. */
async function open(options: Exchange, signal: AbortSignal): Promise<AsyncIterable<Buffer>> {
  const { dispatcher, origin, path, headers, body, isStream, onHead } = options
  const response = await post(dispatcher, { origin, path, headers, body, signal, isStream })
  const { statusCode, body: pieces } = response
  const type = String(response.headers['content-type'] ?? '')
  const fault = checkResponseHead(statusCode, {
    ...response.headers,
    ...(isStream ? {} : { 'content-type': undefined }),
  })
  // The body of a refused response is dropped unread, which it reports as an error.
  pieces.on('error', () => {})
  if (fault) {
    const reason = `The head of the response was refused: ${fault.cause}`
    throw new MinerFailure('failed', `The miner ${fault.detail}`, statusCode, { reason })
  }
  if (statusCode !== 200) throw await readRefusal(response)
  onHead?.(type)
  return pieces
}

type Post = Pick<Exchange, 'origin' | 'path' | 'headers' | 'body' | 'isStream'> & {
  readonly signal: AbortSignal
}

/** The same headers in the same order as a validator sends them (inference/miner-stream.ts). */
function post(dispatcher: Dispatcher, { headers, isStream, ...rest }: Post): Promise<Response> {
  return dispatcher.request({
    ...rest,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(isStream ? { accept: 'text/event-stream' } : {}),
      'accept-encoding': 'identity',
      ...headers,
    },
    // Never reuses a connection: one the miner closes at this moment would look like the miner's failure.
    reset: true,
    headersTimeout: 0,
    bodyTimeout: 0,
  })
}

async function readRefusal({ statusCode, body }: Response): Promise<MinerFailure> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const piece of body as AsyncIterable<Buffer>) {
    parts.push(piece)
    bytes += piece.length
    if (bytes >= ERROR_BYTES) break
  }
  const sentence = readErrorText(Buffer.concat(parts).subarray(0, ERROR_BYTES).toString('utf8'))
  const reason = `The miner answered ${statusCode}`
  const message = sentence === '' ? reason : `${reason}: ${sentence}`
  return new MinerFailure(kindOfStatus(statusCode), message, statusCode, { reason })
}
