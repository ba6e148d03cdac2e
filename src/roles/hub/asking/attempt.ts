import type { HubMiner, Turn } from '../miners/index.js'
import { MinerFailure } from './miner-failure.js'
import type { Attempt } from './types.js'

export interface AttemptOptions<Piece> {
  readonly miner: HubMiner
  readonly turn: Turn
  readonly startMs: number
  /** Sends the request; the signal aborts when the attempt does. */
  readonly read: (signal: AbortSignal) => AsyncGenerator<Piece, void>
  readonly hasContent: (piece: Piece) => boolean
  /** Aborts the attempt. */
  readonly signal: AbortSignal
}

/** Sends a request at once and reads up to the first piece with content. */
export function startAttempt<Piece>(options: AttemptOptions<Piece>): Attempt<Piece> {
  const { miner, turn, startMs, read, hasContent, signal } = options
  const own = new AbortController()
  const follow = () => own.abort(signal.reason)
  signal.addEventListener('abort', follow, { once: true })
  if (signal.aborted) follow()
  const reading = read(own.signal)
  const head: Piece[] = []
  const begin = async () => {
    for (;;) {
      const { done, value } = await reading.next()
      if (done) throw new MinerFailure('failed', 'The answer was empty')
      head.push(value)
      if (hasContent(value)) return
    }
  }
  const started = begin().catch((error: unknown) => {
    signal.removeEventListener('abort', follow)
    throw error
  })
  // Others may win before this one fails.
  started.catch(() => {})
  return {
    miner,
    turn,
    startMs,
    started,
    pieces: async function* () {
      try {
        yield* head
        yield* reading
      } finally {
        signal.removeEventListener('abort', follow)
        own.abort(new Error('the answer is no longer wanted'))
        await reading.return()
      }
    },
    abort: () => {
      signal.removeEventListener('abort', follow)
      own.abort(new Error('another miner answered first'))
    },
  }
}
