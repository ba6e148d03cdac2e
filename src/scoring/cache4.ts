import { z } from 'zod'
import type { Result } from './arithmetic.js'

/** Blocks after which 4.4.1 discarded a cache (targon/cache.py). */
const FRESH_BLOCKS = 360
const OLDEST_VERSION = 400_000

/** As Python's int() reads a uid: a sign and underscores count, and −1 belongs to no neuron. */
const uidText = z.string().regex(/^\s*[+-]?\d{1,15}(?:_\d{1,6})*\s*$/)

const miners = z.record(uidText, z.record(z.string().max(200), z.array(z.number().nullable()).max(100_000)))
const shape = z.object({
  version: z.number().default(0),
  block_saved: z.number().default(0),
  miner_tps: miners,
})

export type Cache4 =
  | {
      readonly kind: 'loaded'
      readonly results: ReadonlyMap<number, ReadonlyMap<string, readonly Result[]>>
      readonly block: number
    }
  | { readonly kind: 'ignored'; readonly reason: string }

/** Whether a parsed file looks like a cache.json of 4.x. */
export function isCache4(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'miner_tps' in value
}

/**
 * Reads a `cache.json` of 4.x: `{miner_tps: {uid: {model: [tps|null]}}, block_saved, version}`. Uids are valid only while
 * the file is fresh, so an old one is ignored as in 4.4.1; the caller must resolve uids to hotkeys immediately.
 */
export function readCache4(text: string, block: number): Cache4 {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { kind: 'ignored', reason: 'not JSON' }
  }
  const parsed = shape.safeParse(value)
  if (!parsed.success) return { kind: 'ignored', reason: 'not a 4.x cache' }
  const { version, block_saved: saved, miner_tps: tps } = parsed.data
  if (version < OLDEST_VERSION) return { kind: 'ignored', reason: `version ${version} is older than 4.0.0` }
  if (saved <= block - FRESH_BLOCKS)
    return { kind: 'ignored', reason: `saved at block ${saved}, more than ${FRESH_BLOCKS} blocks ago` }
  const results = new Map(
    Object.entries(tps).map(([uid, models]) => [readUid(uid), new Map(Object.entries(models))] as const),
  )
  // A score file takes whole blocks only: a book at block 1000.5 could be saved but not be read again.
  return { kind: 'loaded', results, block: Math.max(0, Math.min(Math.floor(saved), block)) }
}

function readUid(text: string): number {
  return Number(text.replaceAll('_', ''))
}
