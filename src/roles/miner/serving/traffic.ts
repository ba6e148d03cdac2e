import { putNewest } from '../../../kernel/index.js'
import type { RequestEnd } from './request-counter.js'

/** Since the miner started: inference requests of one caller for one model that a model server was chosen for. */
export interface TrafficRow {
  /** Caller and model, to tell rows apart. */
  readonly id: string
  readonly hotkey: string
  readonly uid: number
  readonly model: string
  readonly answered: number
  readonly refused: number
  readonly failed: number
  readonly abandoned: number
  /** Of the last answers, in milliseconds: from sending the request to the model server to its first byte. */
  readonly firstByteMs: { readonly p50: number; readonly p95: number } | null
}

export interface Traffic {
  ended(
    caller: { readonly hotkey: string; readonly uid: number },
    model: string,
    end: RequestEnd,
    firstByteMs?: number,
  ): void
  /** The pair with the newest request comes last. */
  report(): TrafficRow[]
  /** Times to the first byte since the last call, in milliseconds. */
  takeFirstBytes(): readonly number[]
}

/** A registered caller may name any model, so pairs are bounded; the one whose last request is oldest makes room. */
const MAX_PAIRS = 512
const MAX_NAME = 200
/** Answers whose times are kept for each pair. */
const KEPT_TIMES = 64
const MAX_TAKEN = 4096

interface Pair {
  readonly hotkey: string
  uid: number
  readonly model: string
  readonly ends: Record<RequestEnd, number>
  readonly times: number[]
}

export function createTraffic(): Traffic {
  const pairs = new Map<string, Pair>()
  let taken: number[] = []
  const pairOf = (hotkey: string, uid: number, model: string): Pair => {
    const id = `${hotkey} ${model}`
    const pair = pairs.get(id) ?? {
      ...{ hotkey, uid, model, times: [] },
      ends: { answered: 0, refused: 0, failed: 0, abandoned: 0 },
    }
    pair.uid = uid
    putNewest(pairs, id, pair, MAX_PAIRS)
    return pair
  }
  return {
    ended: ({ hotkey, uid }, model, end, firstByteMs) => {
      const pair = pairOf(hotkey, uid, model.slice(0, MAX_NAME))
      pair.ends[end]++
      if (firstByteMs === undefined) return
      pair.times.push(firstByteMs)
      if (pair.times.length > KEPT_TIMES) pair.times.shift()
      if (taken.length < MAX_TAKEN) taken.push(firstByteMs)
    },
    report: () => [...pairs].map(([id, pair]) => describe(id, pair)),
    takeFirstBytes: () => {
      const times = taken
      taken = []
      return times
    },
  }
}

function describe(id: string, { hotkey, uid, model, ends, times }: Pair): TrafficRow {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
  const firstByteMs = sorted.length === 0 ? null : { p50: Math.round(at(0.5)), p95: Math.round(at(0.95)) }
  return { id, hotkey, uid, model, ...ends, firstByteMs }
}
