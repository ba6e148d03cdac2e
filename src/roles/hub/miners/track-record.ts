import { type Breaker, type Clock, createBreaker } from '../../../kernel/index.js'
import type { Turn } from './types.js'

/** Weight of the newest answer in the moving averages. */
const NEWEST = 0.2
/** Answers of fewer tokens say little about the speed. */
const TOKENS_FOR_SPEED = 8
/** Models of which one miner's speed is kept. */
const MAX_MODELS = 64

interface Speed {
  tokensPerSecond?: number
  firstTokenMs?: number
}

/** What the hub has seen of one miner since it started. */
export interface TrackRecord {
  readonly inFlight: number
  readonly answered: number
  readonly failed: number
  /** Whether it may be asked, after failures. */
  allows(): boolean
  breakerState(): string
  speed(model: string): Readonly<Speed>
  begin(model: string): Turn
}

/** @param random 0 ≤ x < 1, jitters the pauses after failures. */
export function createTrackRecord(clock: Clock, random: () => number): TrackRecord {
  const breaker: Breaker = createBreaker({ clock, random })
  const speeds = new Map<string, Speed>()
  let inFlight = 0
  let answered = 0
  let failed = 0
  const note = (model: string, firstTokenMs: number, tokens: number, streamedMs: number) => {
    const speed = speeds.get(model) ?? {}
    speed.firstTokenMs = blend(speed.firstTokenMs, firstTokenMs)
    if (tokens >= TOKENS_FOR_SPEED && streamedMs > 0)
      speed.tokensPerSecond = blend(speed.tokensPerSecond, ((tokens - 1) / streamedMs) * 1000)
    if (speeds.size >= MAX_MODELS && !speeds.has(model)) speeds.clear()
    speeds.set(model, speed)
  }
  return {
    get inFlight() {
      return inFlight
    },
    get answered() {
      return answered
    },
    get failed() {
      return failed
    },
    allows: () => breaker.allows(),
    breakerState: () => breaker.state(),
    speed: (model) => speeds.get(model) ?? {},
    begin: (model) => {
      let isOver = false
      breaker.begin()
      inFlight++
      return {
        end: (how) => {
          if (isOver) return
          isOver = true
          inFlight--
          if (how.kind === 'abandoned') return breaker.abandoned()
          if (how.kind === 'failed') {
            failed++
            return breaker.failed()
          }
          answered++
          breaker.succeeded()
          note(model, how.firstTokenMs, how.tokens, how.streamedMs)
        },
      }
    },
  }
}

function blend(before: number | undefined, newest: number): number {
  return before === undefined ? newest : before + NEWEST * (newest - before)
}
