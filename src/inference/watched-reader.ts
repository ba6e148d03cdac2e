import type { AnswerContent, AnswerReader } from './answer-reader.js'
import type { StallWatch } from './stall-watch.js'

/** How far a stream has come while it is still open. */
export interface StreamProgress {
  readonly tokens: number
  /** From the first token to the last one so far. */
  readonly streamedMs: number
}

export interface ReaderWatch {
  /** Measures how late the times of the answer may be. */
  readonly stalls?: StallWatch | undefined
  /** Called with every chunk that has content. */
  readonly onProgress?: ((progress: StreamProgress) => void) | undefined
}

/** Reports the progress of a stream, and notes in its answer how far a stalled event loop may have falsified its times. */
export function watchReader(reader: AnswerReader, { stalls, onProgress }: ReaderWatch): AnswerReader {
  let tokens = 0
  let firstMs: number | undefined
  return {
    accept(atMs, chunk) {
      const accepted = reader.accept(atMs, chunk)
      if ('cause' in accepted || !accepted.hasContent) return accepted
      firstMs ??= atMs
      tokens += accepted.tokens
      onProgress?.({ tokens, streamedMs: atMs - firstMs })
      return accepted
    },
    finish(startMs, endMs, fault) {
      const content = reader.finish(startMs, endMs, fault)
      return stalls ? { ...content, stallMs: measureDelay(stalls, content, startMs, endMs) } : content
    },
  }
}

/**
 * The speed depends on when the request was written, which no stall changes, and on when the answer ended. A burst is seen
 * by the times of all tokens.
 */
function measureDelay(stalls: StallWatch, { fault }: AnswerContent, startMs: number, endMs: number): number {
  return fault?.timed === 'burst' ? stalls.stallSince(startMs) : stalls.delayAt(endMs)
}
