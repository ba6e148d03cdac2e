import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../clock.js'
import type { Deadlines, Timed } from '../../routing/index.js'

/** Bytes of bodies whose signature is not checked yet, all callers together; held and thrown away they cost more than twice that. */
const MAX_UNVERIFIED_BYTES = 24 << 20

export type BodyEnd =
  | { readonly kind: 'read'; readonly body: Buffer; readonly hash: string }
  | { readonly kind: 'too-large' | 'too-slow' | 'overload' | 'gone' }

export interface BodyReader {
  /** Reads within the limits, hashing on the way. After anything but `read` the rest of the body is not kept. */
  read(request: IncomingMessage): Promise<BodyEnd>
  /** The body has been checked or dropped: its bytes no longer count as unverified. */
  release(bytes: number): void
}

export function createBodyReader(
  clock: Clock,
  deadlines: Deadlines,
  limits: { readonly maxBytes: number; readonly timeoutMs: number },
): BodyReader {
  let unverified = 0
  return {
    release: (bytes) => {
      unverified -= bytes
    },
    read: (request) => {
      if (Number(request.headersDistinct['content-length']?.[0] ?? 0) > limits.maxBytes) {
        return Promise.resolve({ kind: 'too-large' })
      }
      return new Promise((resolve) => {
        const startedAt = clock.monotonic()
        const hash = createHash('sha256')
        const chunks: Buffer[] = []
        let size = 0
        const finish = (end: BodyEnd) => {
          request.off('data', onData).off('end', onEnd).off('close', onClose)
          deadlines.forget(timed)
          if (end.kind !== 'read') unverified -= size
          resolve(end)
        }
        const onData = (chunk: Buffer) => {
          size += chunk.length
          unverified += chunk.length
          if (size > limits.maxBytes) return finish({ kind: 'too-large' })
          if (unverified > MAX_UNVERIFIED_BYTES) return finish({ kind: 'overload' })
          hash.update(chunk)
          chunks.push(chunk)
        }
        const onEnd = () => {
          const [only] = chunks
          const body = only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks, size)
          finish({ kind: 'read', body, hash: hash.digest('hex') })
        }
        const onClose = () => finish({ kind: 'gone' })
        const timed: Timed = {
          check: (now) => {
            if (now - startedAt >= limits.timeoutMs) finish({ kind: 'too-slow' })
          },
        }
        deadlines.watch(timed)
        request.on('data', onData).on('end', onEnd).on('close', onClose)
      })
    },
  }
}
