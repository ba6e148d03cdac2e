import { setImmediate as nextTurn } from 'node:timers/promises'
import { type AnswerPiece, type Attempt, MinerFailure } from '../asking/index.js'
import type { TurnEnd } from '../miners/index.js'
import { beginAnswer, noteRecord } from './note-record.js'
import type { ServeDeps, Served } from './types.js'

/** Characters of an answer that pass in one turn of the event loop. A miner may send all of them at once. */
const TURN_CHARACTERS = 16 << 10

/**
 * The pieces of an answer, counted and measured as they pass. The time in which a piece is with the user does not
 * count. At the end, whichever it is, the miner's turn is over and the answer is kept for validators; not when the user left,
 * because then nothing is known of the rest.
 *
 * @throws what `Attempt.pieces` throws
 */
export async function* observeAnswer(
  attempt: Attempt<AnswerPiece>,
  served: Served,
  deps: Pick<ServeDeps, 'clock' | 'organics' | 'isRetaining'>,
): AsyncGenerator<AnswerPiece, void> {
  const { clock } = deps
  const { progress } = served
  const { miner, turn, startMs } = attempt
  const atMs = clock.now() - (clock.monotonic() - startMs)
  const answer = beginAnswer(served, deps)
  let awayMs = 0
  const minerMs = () => clock.monotonic() - startMs - awayMs
  let firstMs: number | undefined
  let lastMs = 0
  let how: TurnEnd = { kind: 'abandoned' }
  let passed = 0
  progress.tokens = 0
  // What a miner claimed that failed before does not count.
  progress.promptTokens = undefined
  try {
    for await (const piece of attempt.pieces()) {
      const { tokens } = piece.content
      if (tokens.length > 0) {
        lastMs = minerMs()
        firstMs ??= lastMs
        progress.firstTokenMs ??= clock.monotonic() - progress.startMs
        progress.tokens += tokens.length
      }
      if (piece.isUsage) progress.promptTokens = piece.promptTokens
      else answer?.add(piece.data)
      const readyMs = clock.monotonic()
      yield piece
      passed += piece.data.length
      if (passed >= TURN_CHARACTERS) {
        passed = 0
        await nextTurn()
      }
      awayMs += clock.monotonic() - readyMs
    }
    how = {
      kind: 'answered',
      firstTokenMs: firstMs ?? lastMs,
      tokens: progress.tokens,
      streamedMs: lastMs - (firstMs ?? lastMs),
    }
  } catch (error) {
    if (error instanceof MinerFailure) how = { kind: 'failed' }
    throw error
  } finally {
    turn.end(how)
    if (answer !== undefined && how.kind !== 'abandoned')
      noteRecord(
        deps,
        { ...served, atMs },
        {
          ...{ miner, answer },
          isComplete: how.kind === 'answered',
          totalMs: minerMs(),
          firstTokenMs: firstMs ?? 0,
          tokens: progress.tokens,
        },
      )
  }
}
