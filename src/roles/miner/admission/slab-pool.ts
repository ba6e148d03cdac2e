const SLAB_BYTES = 16 << 10

/** Bytes of one body, gathered piece by piece. */
export interface SlabBuffer {
  /** Memory taken for it, in whole slabs. */
  readonly heldBytes: number
  /** Copies the bytes; they need not be kept. */
  add(bytes: Buffer): void
  /** The bytes as one, in memory of their own. */
  join(): Buffer
  /** Gives the memory back. */
  free(): void
}

/**
 * Memory for bodies nobody has vouched for, used again and again. Left to the collector it would pile up: buffers that
 * outlive two small collections are freed only by a full one, which V8 starts when there are 64 MB of them.
 *
 * @param keptBytes of memory that is kept for the next bodies.
 */
export function createSlabPool(keptBytes: number): { gather(): SlabBuffer } {
  const free: Buffer[] = []
  const gather = (): SlabBuffer => {
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
  return { gather }
}
