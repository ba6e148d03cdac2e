import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../../kernel/index.js'
import type { Deadlines, Timed } from '../../../routing/index.js'
import { createSlabPool, type SlabBuffer } from './slab-pool.js'

/**
 * Memory for bodies whose signature is not verified yet, all callers together. When it is full, the body that has been
 * arriving for longest is given up: an honest one arrives at once, one that is sent slowly is there to fill the memory.
 */
const MAX_UNVERIFIED_BYTES = 12 << 20

/** One address's share of it, or one body if bodies may be larger: an address that exceeds it loses its own bodies only. */
const MAX_UNVERIFIED_PER_ADDRESS = 8 << 20

export type BodyEnd =
  | { readonly kind: 'read'; readonly body: Buffer; readonly hash: string }
  | { readonly kind: 'too-large' | 'too-slow' | 'overload' | 'caller-left' }

interface BodyLimits {
  readonly maxBytes: number
  readonly timeoutMs: number
}

/** Reads bodies within limits of size, time and memory, and hashes them on the way. */
export class BodyReader {
  readonly #clock: Clock
  readonly #deadlines: Deadlines
  readonly #limits: BodyLimits
  readonly #memory: UnverifiedMemory

  constructor(clock: Clock, deadlines: Deadlines, limits: BodyLimits) {
    this.#clock = clock
    this.#deadlines = deadlines
    this.#limits = limits
    this.#memory = new UnverifiedMemory(limits.maxBytes)
  }

  /** Unless the result is `read`, the rest of the body is ignored. */
  read(request: IncomingMessage, address: string): Promise<BodyEnd> {
    const declaredBytes = Number(request.headersDistinct['content-length']?.[0] ?? 0)
    if (declaredBytes > this.#limits.maxBytes) return Promise.resolve({ kind: 'too-large' })
    return new Promise((resolve) => {
      const source = { request, address, declaredBytes, startedAt: this.#clock.monotonic() }
      new PendingBody(source, this.#limits, this.#memory, this.#deadlines, resolve)
    })
  }

  /** Gives up the body that has been arriving for longest, as `overload`. @returns false when none is arriving. */
  makeRoom(): boolean {
    return this.#memory.makeRoom()
  }

  /** Call when a body has been verified or dropped: its bytes no longer count as unverified. */
  release(bytes: number, address: string): void {
    this.#memory.add(-bytes, address)
  }
}

/** Counts the bytes of unverified bodies and enforces the bounds on them. */
class UnverifiedMemory {
  readonly slabs = createSlabPool(MAX_UNVERIFIED_BYTES)
  /** Bodies still arriving, the oldest first. */
  readonly pending = new Set<PendingBody>()
  readonly #maxBytes: number
  readonly #maxBytesPerAddress: number
  readonly #byAddress = new Map<string, number>()
  #bytes = 0

  constructor(maxBodyBytes: number) {
    this.#maxBytes = Math.max(MAX_UNVERIFIED_BYTES, maxBodyBytes)
    this.#maxBytesPerAddress = Math.max(MAX_UNVERIFIED_PER_ADDRESS, maxBodyBytes)
  }

  /** @returns whether the address is within its share. */
  add(bytes: number, address: string): boolean {
    this.#bytes += bytes
    const held = (this.#byAddress.get(address) ?? 0) + bytes
    if (held === 0) this.#byAddress.delete(address)
    else this.#byAddress.set(address, held)
    return held <= this.#maxBytesPerAddress
  }

  makeRoom(except?: PendingBody): boolean {
    for (const body of this.pending) {
      if (body === except) continue
      body.giveUp()
      return true
    }
    return false
  }

  /** Gives up other bodies until all fit. @returns false when they do not even then. */
  makeFit(body: PendingBody): boolean {
    while (this.#bytes > this.#maxBytes) if (!this.makeRoom(body)) return false
    return true
  }
}

interface BodySource {
  readonly request: IncomingMessage
  readonly address: string
  readonly declaredBytes: number
  /** Monotonic milliseconds. */
  readonly startedAt: number
}

class PendingBody implements Timed {
  readonly #source: BodySource
  readonly #limits: BodyLimits
  readonly #memory: UnverifiedMemory
  readonly #deadlines: Deadlines
  readonly #resolve: (end: BodyEnd) => void
  readonly #hash = createHash('sha256')
  readonly #buffer: SlabBuffer
  #size = 0
  #heldBytes = 0
  /** The body when it arrived in one piece: needs no copy. */
  #whole: Buffer | undefined

  constructor(
    source: BodySource,
    limits: BodyLimits,
    memory: UnverifiedMemory,
    deadlines: Deadlines,
    resolve: (end: BodyEnd) => void,
  ) {
    this.#source = source
    this.#limits = limits
    this.#memory = memory
    this.#deadlines = deadlines
    this.#resolve = resolve
    this.#buffer = memory.slabs.createBuffer()
    deadlines.watch(this)
    memory.pending.add(this)
    source.request.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose)
  }

  check(nowMs: number): void {
    if (nowMs - this.#source.startedAt >= this.#limits.timeoutMs) this.#finish({ kind: 'too-slow' })
  }

  giveUp(): void {
    this.#finish({ kind: 'overload' })
  }

  readonly #onData = (chunk: Buffer) => {
    const { address, declaredBytes } = this.#source
    const isWhole = this.#size === 0 && chunk.length === declaredBytes
    this.#size += chunk.length
    if (this.#size > this.#limits.maxBytes) return this.#finish({ kind: 'too-large' })
    this.#hash.update(chunk)
    if (isWhole) this.#whole = chunk
    else this.#buffer.add(chunk)
    const before = this.#heldBytes
    this.#heldBytes = isWhole ? this.#size : this.#buffer.heldBytes
    if (!this.#memory.add(this.#heldBytes - before, address) || !this.#memory.makeFit(this)) this.giveUp()
  }

  readonly #onEnd = () => {
    this.#finish({
      kind: 'read',
      body: this.#whole ?? this.#buffer.join(),
      hash: this.#hash.digest('hex'),
    })
  }

  readonly #onClose = () => this.#finish({ kind: 'caller-left' })

  #finish(end: BodyEnd): void {
    const { request, address } = this.#source
    request.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose)
    this.#deadlines.forget(this)
    this.#memory.pending.delete(this)
    this.#buffer.free()
    // A body that was read stays counted until it is released.
    this.#memory.add((end.kind === 'read' ? this.#size : 0) - this.#heldBytes, address)
    this.#resolve(end)
  }
}
