import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createSlabPool } from '../../../../src/roles/miner/admission/slab-pool.js'

const sizes = fc.oneof(fc.nat(40), fc.integer({ min: 16_380, max: 16_390 }), fc.nat(70_000))

it('never mixes the bytes of buffers filled in turn from reused slabs', () => {
  const pool = createSlabPool(64 << 10)
  fc.assert(
    fc.property(fc.array(fc.array(sizes, { maxLength: 6 }), { minLength: 1, maxLength: 5 }), (bodies) => {
      const buffers = bodies.map(() => pool.createBuffer())
      for (let piece = 0; piece < 6; piece++) {
        for (const [body, pieces] of bodies.entries())
          buffers[body]?.add(Buffer.alloc(pieces[piece] ?? 0, 1 + body * 6 + piece))
      }
      for (const [body, pieces] of bodies.entries()) {
        const expected = Buffer.concat(pieces.map((size, piece) => Buffer.alloc(size, 1 + body * 6 + piece)))
        const buffer = buffers[body]
        expect(buffer?.join().equals(expected)).toBe(true)
        expect(buffer?.heldBytes).toBe(Math.ceil(expected.length / 16_384) * 16_384)
        buffer?.free()
        expect(buffer?.heldBytes).toBe(0)
      }
    }),
  )
})
