import { isUtf8 } from 'node:buffer'

export interface EventLimits {
  readonly lineBytes: number
  readonly streamBytes: number
  readonly events: number
}

/** The stream broke a limit or is malformed; reading stops. */
export class EventStreamError extends Error {
  override readonly name = 'EventStreamError'
  constructor(
    readonly kind: 'STREAM_LIMIT' | 'BAD_STREAM',
    message: string,
  ) {
    super(message)
  }
}

/** Allowed lines per allowed event: comments, event names and blank lines count too. */
const LINES_PER_EVENT = 8

/** Lines read without a pause. */
const LINES_PER_STEP = 256

const LF = 10
const CR = 13
const BYTE_ORDER_MARK = Buffer.of(0xef, 0xbb, 0xbf)

/**
 * Reads server-sent events from bytes that may be split anywhere: lines end with LF, CR LF or CR alone, and a byte order
 * mark may come first (WHATWG HTML, server-sent events). It works on bytes: only complete data is decoded, nothing is
 * scanned twice, and at most one line and the data of one event are kept between two pieces.
 */
export class EventStream {
  readonly #limits: EventLimits
  /** Start of the unfinished line. The buffer only grows, because pieces may be single bytes. */
  #partial = Buffer.alloc(0)
  #partialBytes = 0
  /** Data lines of the unfinished event. */
  #data: Buffer[] = []
  #dataBytes = 0
  #bytes = 0
  #lines = 0
  #events = 0
  /** The last piece ended with CR: an LF at the start of the next one belongs to it. */
  #isAfterCr = false

  constructor(limits: EventLimits) {
    this.#limits = limits
  }

  /**
   * Counts the bytes at once and reads them as the iterator advances; it must be used up before the next call of `push` is.
   *
   * @returns the data of the events completed by these bytes, and undefined now and then, so that a reader can pause.
   * @throws EventStreamError, also while it is iterated
   */
  push(chunk: Buffer): Generator<string | undefined, void, void> {
    this.#bytes += chunk.length
    if (this.#bytes > this.#limits.streamBytes)
      throw limitError(`more than ${this.#limits.streamBytes} bytes`)
    return this.#readLines(chunk)
  }

  *#readLines(chunk: Buffer): Generator<string | undefined, void, void> {
    let start = this.#isAfterCr && chunk[0] === LF ? 1 : 0
    if (chunk.length > 0) this.#isAfterCr = false
    let lf = chunk.indexOf(LF, start)
    let cr = chunk.indexOf(CR, start)
    while (lf !== -1 || cr !== -1) {
      const isCr = cr !== -1 && (lf === -1 || cr < lf)
      const end = isCr ? cr : lf
      this.#checkLine(end - start)
      const tail = chunk.subarray(start, end)
      const event = this.#readLine(this.#partialBytes === 0 ? tail : this.#join(tail))
      if (event !== undefined || this.#lines % LINES_PER_STEP === 0) yield event
      start = end + 1
      if (isCr && start === chunk.length) this.#isAfterCr = true
      if (isCr && chunk[start] === LF) start++
      // Each is searched again only when it was passed: otherwise a piece of many line feeds would be scanned once per line.
      if (lf !== -1 && lf < start) lf = chunk.indexOf(LF, start)
      if (cr !== -1 && cr < start) cr = chunk.indexOf(CR, start)
    }
    if (start < chunk.length) {
      this.#checkLine(chunk.length - start)
      this.#keep(chunk.subarray(start))
    }
  }

  #checkLine(moreBytes: number): void {
    if (this.#partialBytes + moreBytes > this.#limits.lineBytes) {
      throw limitError(`a line of more than ${this.#limits.lineBytes} bytes`)
    }
  }

  #keep(piece: Buffer): void {
    const needed = this.#partialBytes + piece.length
    if (needed > this.#partial.length) {
      const grown = Buffer.alloc(Math.max(needed, 2 * this.#partial.length, 1024))
      this.#partial.copy(grown, 0, 0, this.#partialBytes)
      this.#partial = grown
    }
    piece.copy(this.#partial, this.#partialBytes)
    this.#partialBytes = needed
  }

  /** Completes the unfinished line in a new buffer. */
  #join(tail: Buffer): Buffer {
    const line = Buffer.concat([this.#partial.subarray(0, this.#partialBytes), tail])
    this.#partialBytes = 0
    return line
  }

  #readLine(raw: Buffer): string | undefined {
    if (++this.#lines > this.#limits.events * LINES_PER_EVENT)
      throw limitError(`more than ${this.#lines - 1} lines`)
    const isMarked = this.#lines === 1 && raw.subarray(0, 3).equals(BYTE_ORDER_MARK)
    const line = isMarked ? raw.subarray(3) : raw
    if (line.length === 0) return this.#flush()
    if (!isData(line)) return undefined
    const data = line.subarray(line[5] === 32 ? 6 : 5)
    this.#dataBytes += data.length
    if (this.#dataBytes > this.#limits.lineBytes)
      throw limitError(`an event of more than ${this.#limits.lineBytes} bytes`)
    this.#data.push(data)
    return undefined
  }

  #flush(): string | undefined {
    if (this.#data.length === 0) return undefined
    if (++this.#events > this.#limits.events) throw limitError(`more than ${this.#limits.events} events`)
    const bytes = joinLines(this.#data)
    this.#data = []
    this.#dataBytes = 0
    if (!isUtf8(bytes)) throw new EventStreamError('BAD_STREAM', 'the stream is not UTF-8')
    return bytes.toString('utf8')
  }
}

/** Joins the data lines of an event with line feeds. */
function joinLines(lines: readonly Buffer[]): Buffer {
  const [only, ...more] = lines
  if (only && more.length === 0) return only
  return Buffer.concat(lines.flatMap((line, index) => (index === 0 ? [line] : [Buffer.of(LF), line])))
}

function isData(line: Buffer): boolean {
  if (line[0] !== 100 || line[1] !== 97 || line[2] !== 116 || line[3] !== 97) return false
  return line.length === 4 || line[4] === 58
}

function limitError(what: string): EventStreamError {
  return new EventStreamError('STREAM_LIMIT', `the stream had ${what}`)
}
