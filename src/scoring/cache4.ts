import { z } from 'zod'
import { isJsonObject, parseJson } from '../kernel/index.js'
import type { Result } from './arithmetic.js'

/** Blocks after which 4.4.1 discarded a cache (targon/cache.py). */
const FRESH_BLOCKS = 360
const OLDEST_VERSION = 400_000

/** As Python's int() reads a uid: a sign and underscores count, and −1 belongs to no neuron. */
const UID = /^\s*[+-]?\d{1,15}(?:_\d{1,6})*\s*$/
const MAX_NAME_LENGTH = 200
const MAX_RESULTS = 100_000

const shape = z.object({
  version: z.number().default(0),
  block_saved: z.number().default(0),
  miner_tps: z.record(z.string(), z.unknown()),
})

export type Cache4 =
  | {
      readonly kind: 'loaded'
      readonly results: ReadonlyMap<number, ReadonlyMap<string, readonly Result[]>>
      readonly block: number
      /** Entries that were left out: uids, models and results of no known form (NaN, Infinity, text). */
      readonly dropped: number
    }
  | { readonly kind: 'ignored'; readonly reason: string }

/** Whether a parsed file looks like a cache.json of 4.x. */
export function isCache4(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'miner_tps' in value
}

/**
 * The value of a JSON text as Python writes it: NaN, Infinity and -Infinity, which JSON does not have, are read as text.
 * Undefined if it is not JSON otherwise either.
 */
export function parsePythonJson(text: string): unknown {
  const plain = parseJson(text)
  if (plain !== undefined) return plain
  return parseJson(
    text.replaceAll(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/gs, (token) =>
      token.startsWith('"') ? token : `"${token}"`,
    ),
  )
}

/**
 * Reads a `cache.json` of 4.x: `{miner_tps: {uid: {model: [tps|null]}}, block_saved, version}`. Uids are valid only while
 * the file is fresh, so an old one is ignored as in 4.4.1; the caller must resolve uids to hotkeys immediately. An entry of
 * no known form is left out and counted; the others are read.
 */
export function readCache4(text: string, block: number): Cache4 {
  const value = parsePythonJson(text)
  if (value === undefined) return { kind: 'ignored', reason: 'not JSON' }
  const parsed = shape.safeParse(value)
  if (!parsed.success) return { kind: 'ignored', reason: 'not a 4.x cache' }
  const { version, block_saved: saved, miner_tps: tps } = parsed.data
  if (version < OLDEST_VERSION) return { kind: 'ignored', reason: `version ${version} is older than 4.0.0` }
  if (saved <= block - FRESH_BLOCKS)
    return { kind: 'ignored', reason: `saved at block ${saved}, more than ${FRESH_BLOCKS} blocks ago` }
  const { results, dropped } = readMiners(tps)
  // A score file takes whole blocks only: a book at block 1000.5 could be saved but not be read again.
  return { kind: 'loaded', results, block: Math.max(0, Math.min(Math.floor(saved), block)), dropped }
}

function readMiners(tps: Readonly<Record<string, unknown>>) {
  const results = new Map<number, Map<string, readonly Result[]>>()
  let dropped = 0
  for (const [uid, models] of Object.entries(tps)) {
    if (!UID.test(uid) || !isJsonObject(models)) {
      dropped++
      continue
    }
    const windows = new Map<string, readonly Result[]>()
    for (const [model, window] of Object.entries(models)) {
      if (model.length > MAX_NAME_LENGTH || !Array.isArray(window) || window.length > MAX_RESULTS) {
        dropped++
        continue
      }
      const usable = window.filter(isResult)
      dropped += window.length - usable.length
      windows.set(model, usable)
    }
    results.set(readUid(uid), windows)
  }
  return { results, dropped }
}

function isResult(value: unknown): value is Result {
  return value === null || (typeof value === 'number' && Number.isFinite(value))
}

function readUid(text: string): number {
  return Number(text.replaceAll('_', ''))
}
