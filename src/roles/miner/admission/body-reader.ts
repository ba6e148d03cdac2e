import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../../kernel/index.js'
import type { Deadlines, Timed } from '../../../routing/index.js'
import { createSlabPool } from './slab-pool.js'

/**
 * Memory for bodies whose signature is not checked yet, all callers together. When it is full, the body that has been
 * coming for longest makes room: an honest one is there at once, one that is held back is there to fill it.
 */
const MAX_UNVERIFIED_BYTES = 12 << 20

/** One address's share of them, unless a single body may be larger: beyond it an address crowds out itself. */
const MAX_UNVERIFIED_PER_ADDRESS = 8 << 20

export type BodyEnd =
  | { readonly kind: 'read'; readonly body: Buffer; readonly hash: string }
  | { readonly kind: 'too-large' | 'too-slow' | 'overload' | 'gone' }

export interface BodyReader {
  /** Reads within the limits, hashing on the way. After anything but `read` the rest of the body is not kept. */
  read(request: IncomingMessage, address: string): Promise<BodyEnd>
  /** Gives up the body that has been coming for longest, as `overload`. @returns false when all are in. */
  makeRoom(): boolean
  /** The body has been checked or dropped: its bytes no longer count as unverified. */
  release(bytes: number, address: string): void
}

export function createBodyReader(
  clock: Clock,
  deadlines: Deadlines,
  limits: { readonly maxBytes: number; readonly timeoutMs: number },
): BodyReader {
  let unverified = 0
  const shares = new Map<string, number>()
  const share = Math.max(MAX_UNVERIFIED_PER_ADDRESS, limits.maxBytes)
  const most = Math.max(MAX_UNVERIFIED_BYTES, limits.maxBytes)
  /** @returns whether that is more than the address may hold. */
  const hold = (bytes: number, address: string): boolean => {
    unverified += bytes
    const held = (shares.get(address) ?? 0) + bytes
    if (held === 0) shares.delete(address)
    else shares.set(address, held)
    return held > share
  }
  const slabs = createSlabPool(MAX_UNVERIFIED_BYTES)
  /** Ends each body that is still coming, the oldest first. */
  const coming = new Set<() => void>()
  const makeRoom = (except?: () => void): boolean => {
    for (const giveUp of coming) {
      if (giveUp === except) continue
      giveUp()
      return true
    }
    return false
  }
  /** @returns whether there is room for all, with this body or without one that is older. */
  const fits = (own: () => void): boolean => {
    while (unverified > most) if (!makeRoom(own)) return false
    return true
  }
  return {
    makeRoom: () => makeRoom(),
    release: (bytes, address) => void hold(-bytes, address),
    read: (request, address) => {
      const declared = Number(request.headersDistinct['content-length']?.[0] ?? 0)
      if (declared > limits.maxBytes) return Promise.resolve({ kind: 'too-large' })
      return new Promise((resolve) => {
        const startedAt = clock.monotonic()
        const hash = createHash('sha256')
        const gathering = slabs.gather()
        let size = 0
        let held = 0
        let whole: Buffer | undefined
        const finish = (end: BodyEnd) => {
          request.off('data', onData).off('end', onEnd).off('close', onClose)
          deadlines.forget(timed)
          coming.delete(giveUp)
          gathering.free()
          // A body that was read is held until it is released.
          hold((end.kind === 'read' ? size : 0) - held, address)
          resolve(end)
        }
        const onData = (chunk: Buffer) => {
          const isWhole = size === 0 && chunk.length === declared
          size += chunk.length
          if (size > limits.maxBytes) return finish({ kind: 'too-large' })
          hash.update(chunk)
          if (isWhole) whole = chunk
          else gathering.add(chunk)
          const before = held
          held = isWhole ? size : gathering.heldBytes
          if (hold(held - before, address) || !fits(giveUp)) giveUp()
        }
        const giveUp = () => finish({ kind: 'overload' })
        const onEnd = () =>
          finish({ kind: 'read', body: whole ?? gathering.join(), hash: hash.digest('hex') })
        const onClose = () => finish({ kind: 'gone' })
        const timed: Timed = {
          check: (now) => {
            if (now - startedAt >= limits.timeoutMs) finish({ kind: 'too-slow' })
          },
        }
        deadlines.watch(timed)
        coming.add(giveUp)
        request.on('data', onData).on('end', onEnd).on('close', onClose)
      })
    },
  }
}
