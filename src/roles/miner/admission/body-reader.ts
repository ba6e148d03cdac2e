import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../../kernel/index.js'
import type { Deadlines, Timed } from '../../../routing/index.js'
import { createSlabPool } from './slab-pool.js'

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

export interface BodyReaderOptions {
  readonly clock: Clock
  readonly deadlines: Deadlines
  readonly maxBytes: number
  readonly timeoutMs: number
}

/** Reads bodies within limits of size, time and memory, and hashes them on the way. */
export class BodyReader {
  readonly #options: BodyReaderOptions
  readonly #memory: UnverifiedMemory

  constructor(options: BodyReaderOptions) {
    this.#options = options
    this.#memory = new UnverifiedMemory(options.maxBytes)
  }

  /** Unless the result is `read`, the rest of the body is ignored. */
  read(request: IncomingMessage, address: string): Promise<BodyEnd> {
    const { clock, deadlines, maxBytes, timeoutMs } = this.#options
    const memory = this.#memory
    const declaredBytes = Number(request.headersDistinct['content-length']?.[0] ?? 0)
    if (declaredBytes > maxBytes) return Promise.resolve({ kind: 'too-large' })
    return new Promise((resolve) => {
      const startedAt = clock.monotonic()
      const hash = createHash('sha256')
      const buffer = memory.slabs.createBuffer()
      /** The body if it arrived in one piece, which needs no copy. */
      let whole: Buffer | undefined
      let size = 0
      let held = 0
      const finish = (end: BodyEnd) => {
        request.off('data', onData).off('end', onEnd).off('close', onClose)
        deadlines.forget(timed)
        memory.pending.delete(giveUp)
        buffer.free()
        // A body that was read stays counted until it is released.
        memory.add((end.kind === 'read' ? size : 0) - held, address)
        resolve(end)
      }
      const onData = (chunk: Buffer) => {
        const isWhole = size === 0 && chunk.length === declaredBytes
        size += chunk.length
        if (size > maxBytes) return finish({ kind: 'too-large' })
        hash.update(chunk)
        if (isWhole) whole = chunk
        else buffer.add(chunk)
        const before = held
        held = isWhole ? size : buffer.heldBytes
        if (!memory.add(held - before, address) || !memory.makeFit(giveUp)) giveUp()
      }
      const giveUp = () => finish({ kind: 'overload' })
      const onEnd = () => finish({ kind: 'read', body: whole ?? buffer.join(), hash: hash.digest('hex') })
      const onClose = () => finish({ kind: 'caller-left' })
      const timed: Timed = {
        check: (now) => {
          if (now - startedAt >= timeoutMs) finish({ kind: 'too-slow' })
        },
      }
      deadlines.watch(timed)
      memory.pending.add(giveUp)
      request.on('data', onData).on('end', onEnd).on('close', onClose)
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
  /** Gives up a body that is still arriving, the oldest first. */
  readonly pending = new Set<() => void>()
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

  makeRoom(except?: () => void): boolean {
    for (const giveUp of this.pending) {
      if (giveUp === except) continue
      giveUp()
      return true
    }
    return false
  }

  /** Gives up other bodies until this one fits. @returns false when it does not even then. */
  makeFit(own: () => void): boolean {
    while (this.#bytes > this.#maxBytes) if (!this.makeRoom(own)) return false
    return true
  }
}
