import { connect, type Socket } from 'node:net'

/** How one request ended. */
export interface CallResult {
  /** Until the first event; undefined when none arrived. */
  readonly firstByteMs: number | undefined
  /** A whole stream with its end. */
  readonly isWhole: boolean
}

const HEAD = Buffer.from('HTTP/1.1 200')
const EVENT = Buffer.from('data: ')
const DONE = Buffer.from('[DONE]')
const TERMINATOR = Buffer.from('0\r\n\r\n')
/** The end of a stream: the last event, the end of its chunk, and the terminator. */
const TAIL_BYTES = 64

/** One connection that is kept. It reads no more of an answer than is needed to time it, so that it costs little itself. */
export class Caller {
  #socket: Socket | undefined
  #onEnd: (isWhole: boolean) => void = () => {}
  #sentAt = 0
  #firstByteMs: number | undefined
  #bytes = 0
  #tail: Buffer = Buffer.alloc(0)

  constructor(private readonly port: number) {}

  /** One request at a time; after an error the next one gets a new connection. */
  send(request: Buffer): Promise<CallResult> {
    return new Promise((resolve) => {
      this.#firstByteMs = undefined
      this.#bytes = 0
      this.#tail = Buffer.alloc(0)
      this.#onEnd = (isWhole) => {
        this.#onEnd = () => {}
        resolve({ firstByteMs: this.#firstByteMs, isWhole })
      }
      const write = () => {
        this.#sentAt = performance.now()
        this.#socket?.write(request)
      }
      if (this.#socket) write()
      else this.#open(write)
    })
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = undefined
    this.#onEnd(false)
  }

  #open(onConnect: () => void): void {
    const socket = connect(this.port, '127.0.0.1')
    this.#socket = socket
    const drop = () => {
      if (this.#socket === socket) this.close()
    }
    socket.setNoDelay(true)
    socket.on('connect', onConnect).on('data', (data) => this.#read(data))
    socket.on('error', drop).on('end', drop).on('close', drop)
  }

  #read(data: Buffer): void {
    if (this.#bytes === 0 && !data.subarray(0, HEAD.length).equals(HEAD)) {
      this.close()
      return
    }
    this.#bytes += data.length
    if (this.#firstByteMs === undefined && data.includes(EVENT))
      this.#firstByteMs = performance.now() - this.#sentAt
    this.#tail =
      data.length >= TAIL_BYTES
        ? data.subarray(-TAIL_BYTES)
        : Buffer.concat([this.#tail, data]).subarray(-TAIL_BYTES)
    if (!this.#tail.subarray(-TERMINATOR.length).equals(TERMINATOR)) return
    // A stream that ends without its last event may be followed by anything, so it gets no second request.
    if (this.#tail.includes(DONE)) this.#onEnd(true)
    else this.close()
  }
}
