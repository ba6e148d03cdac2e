const SLAB_BYTES = 16 << 10

/** Bytes of one body, collected piece by piece. */
export interface SlabBuffer {
  /** Memory in use, in whole slabs. */
  readonly heldBytes: number
  /** Copies the bytes. */
  add(bytes: Buffer): void
  /** All bytes in one buffer of their own. */
  join(): Buffer
  /** Returns the slabs to the pool. */
  free(): void
}

/**
 * Reusable memory for unverified bodies. Left to the garbage collector it would pile up: buffers that survive two minor
 * collections are freed only by a major one, which V8 starts at 64 MB of them.
 *
 * @param keptBytes of free memory kept for later bodies.
 */
export function createSlabPool(keptBytes: number): { createBuffer(): SlabBuffer } {
  const free: Buffer[] = []
  const createBuffer = (): SlabBuffer => {
    const slabs: Buffer[] = []
    let size = 0
    return {
      get heldBytes() {
        return slabs.length * SLAB_BYTES
      },
      add: (bytes) => {
        let from = 0
        while (from < bytes.length) {
          const used = size % SLAB_BYTES
          if (used === 0) slabs.push(free.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES))
          const copied = bytes.copy(slabs.at(-1) ?? bytes, used, from)
          from += copied
          size += copied
        }
      },
      join: () => Buffer.concat(slabs, size),
      free: () => {
        for (const slab of slabs.splice(0)) if (free.length * SLAB_BYTES < keptBytes) free.push(slab)
        size = 0
      },
    }
  }
  return { createBuffer }
}
