import type { Clock } from './clock.js'
import { messageOf } from './errors.js'
import type { Output } from './output.js'

export interface LineWriterOptions {
  /** Its waits must not keep the process alive. */
  readonly clock: Clock
  /** Lines that wait for the reader take no more memory than this; the oldest are lost first. */
  readonly maxBytes?: number
  /** Called when writing fails (a closed pipe, a full disk), once until it succeeds again. */
  readonly onFailure?: (reason: string) => void
}

/** Lines handed to the output in one write. */
interface Chunk {
  readonly bytes: Buffer
  written: number
  /** Where the lines begin, after the report of a loss. */
  readonly start: number
  /** Lost lines of that report. */
  readonly told: number
}

const LINE_FEED = 10
const MAX_BYTES = 4 << 20
const CHUNK_BYTES = 64 << 10
/** Pause before trying a reader again that stands still. */
const RETRY_MS = 20
/** At exit: the longest wait for a reader that takes nothing, and for one that reads slowly. */
const STILL_MS = 1000
const SLOW_MS = 3000
/** At exit: a write that another thread has begun ends within this time on a disk that works. */
const DISK_MS = 20

/**
 * Writes lines to an output in order and never waits. While the reader stands still, lines are kept; beyond the limit the oldest
 * are lost, and one line in their place reports how many once the reader is back.
 */
export class LineWriter {
  readonly #output: Output
  readonly #options: LineWriterOptions
  readonly #queue: Buffer[] = []
  #queuedBytes = 0
  #chunk: Chunk | undefined
  /** A write is under way or the reader stands still. */
  #isWaiting = false
  #isFailing = false
  #isExiting = false
  /** The last line was written in part. */
  #isTorn = false
  #wait: Promise<void> = Promise.resolve()
  #lost = 0
  #untold = 0
  #describeLoss: (lines: number) => string = () => ''

  constructor(output: Output, options: LineWriterOptions) {
    this.#output = output
    this.#options = options
  }

  /** Lines lost since the start. */
  get lost(): number {
    return this.#lost
  }

  /** Sets the line that reports a loss to the reader. */
  describeLoss(describe: (lines: number) => string): void {
    this.#describeLoss = describe
  }

  write(line: string): void {
    const bytes = Buffer.from(line)
    this.#queue.push(bytes)
    this.#queuedBytes += bytes.length
    this.#writeQueued()
    this.#limitQueue()
  }

  /** Writes text that may be lost, such as a frame of a progress bar: not at all unless everything before it is written. */
  writeIfIdle(text: string): void {
    if (this.#isWaiting || this.#chunk || this.#queue.length > 0) return
    this.#chunk = { bytes: Buffer.from(text), written: 0, start: 0, told: 0 }
    this.#writeQueued()
  }

  /** Resolves when everything is written; never while the reader stands still. */
  async settled(): Promise<void> {
    while (this.#isWaiting) await this.#wait
  }

  /**
   * For the exit of the process: writes what is left, and blocks for at most three seconds, or one if the reader takes nothing.
   * Lines written afterwards are written at once or lost.
   */
  flush(): void {
    const { clock } = this.#options
    this.#isExiting = true
    if (this.#isWaiting && this.#output.writeLater) {
      // The other thread completes this write even now; what follows must not overtake it.
      pauseThread(DISK_MS)
      this.#chunk = undefined
    }
    this.#isWaiting = false
    const startedAt = clock.monotonic()
    let takenAt = startedAt
    for (let chunk = this.#nextChunk(); chunk; chunk = this.#nextChunk()) {
      const now = clock.monotonic()
      if (this.#tryNow(chunk)) takenAt = now
      else if (now - takenAt > STILL_MS || now - startedAt > SLOW_MS) return
      else pauseThread(RETRY_MS)
    }
  }

  #writeQueued(): void {
    while (!this.#isWaiting) {
      const chunk = this.#nextChunk()
      if (!chunk) return
      if (this.#output.writeLater && !this.#isExiting)
        this.#waitFor(
          this.#output.writeLater(chunk.bytes.subarray(chunk.written)).then(
            (count) => this.#note(chunk, count),
            (error: unknown) => this.#fail(chunk, error),
          ),
        )
      else if (!this.#tryNow(chunk)) this.#waitFor(this.#options.clock.sleep(RETRY_MS))
    }
  }

  #waitFor(end: Promise<void>): void {
    this.#isWaiting = true
    this.#wait = end.then(() => {
      if (this.#isExiting) return
      this.#isWaiting = false
      this.#writeQueued()
    })
  }

  /** @returns false when the reader stands still. */
  #tryNow(chunk: Chunk): boolean {
    try {
      const count = this.#output.writeNow(chunk.bytes.subarray(chunk.written))
      if (count === 0) return false
      this.#note(chunk, count)
    } catch (error) {
      this.#fail(chunk, error)
    }
    return true
  }

  #note(chunk: Chunk, count: number): void {
    this.#isFailing = false
    this.#isTorn = false
    chunk.written += count
    if (chunk.written >= chunk.bytes.length) this.#chunk = undefined
  }

  #fail({ bytes, written, start, told }: Chunk, error: unknown): void {
    this.#chunk = undefined
    // A line that lacks only its end is not lost.
    const taken = bytes[written] === LINE_FEED ? written + 1 : written
    const lines = countLines(bytes.subarray(Math.max(taken, start)))
    this.#lost += lines
    this.#untold += lines + (taken < start ? told : 0)
    if (written > 0) this.#isTorn = bytes[written - 1] !== LINE_FEED
    if (this.#isFailing) return
    this.#isFailing = true
    this.#options.onFailure?.(messageOf(error))
  }

  /** The chunk being written, or a new one from the queue. */
  #nextChunk(): Chunk | undefined {
    if (this.#chunk) return this.#chunk
    const told = this.#untold
    const report = told === 0 ? '' : this.#describeLoss(told)
    if (this.#queue.length === 0 && (report === '' || this.#isFailing)) return undefined
    this.#untold = 0
    const head = Buffer.from(this.#isTorn ? `\n${report}` : report)
    const parts: Uint8Array[] = [head]
    let size = 0
    while (this.#queue.length > 0 && size < CHUNK_BYTES) {
      const line = this.#takeOldest()
      parts.push(line)
      size += line.length
    }
    this.#chunk = { bytes: Buffer.concat(parts), written: 0, start: head.length, told }
    return this.#chunk
  }

  #takeOldest(): Buffer {
    const line = this.#queue.shift() ?? Buffer.alloc(0)
    this.#queuedBytes -= line.length
    return line
  }

  #limitQueue(): void {
    const { maxBytes = MAX_BYTES } = this.#options
    // The reader may be back already: a burst of lines leaves the event loop no turn to notice.
    while (this.#queuedBytes > maxBytes && !this.#output.writeLater) {
      const chunk = this.#nextChunk()
      if (!chunk || !this.#tryNow(chunk)) break
    }
    while (this.#queuedBytes > maxBytes) {
      this.#takeOldest()
      this.#lost++
      this.#untold++
    }
  }
}

function countLines(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) count++
  return count
}

/** Blocks this thread. */
function pauseThread(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
