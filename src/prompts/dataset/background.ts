import type { Log } from '../../kernel/index.js'
import type { QuestionSource } from '../prompt.js'

/** Questions held ready, so that a round never waits for the hub. */
const STOCK = 16

/**
 * Takes questions from a source that may be slow or away: what is in stock is given at once and replaced in the
 * background, and an empty stock gives '' (a bundled question is asked). The log says once that the source failed and
 * once that it is back.
 *
 * @param signal ends the reading.
 */
export function readInBackground(
  source: QuestionSource,
  log: Pick<Log, 'info' | 'warn'>,
  signal: AbortSignal,
): QuestionSource {
  const stock: string[] = []
  let state: 'new' | 'read' | 'failed' = 'new'
  let isFilling = false

  const fill = async () => {
    if (isFilling || signal.aborted) return
    isFilling = true
    try {
      while (stock.length < STOCK) {
        const question = await source.nextQuestion(signal)
        if (question === '') break
        stock.push(question)
      }
      if (state !== 'read') log.info({ event: 'dataset-ready' }, 'questions now come from the data set')
      state = 'read'
    } catch (error) {
      if (signal.aborted) return
      if (state !== 'failed')
        log.warn(
          { event: 'dataset-unavailable', err: error },
          'data set unavailable; using the bundled questions',
        )
      state = 'failed'
    } finally {
      isFilling = false
    }
  }

  void fill()
  return {
    nextQuestion: async () => {
      const question = stock.shift() ?? ''
      void fill()
      return question
    },
  }
}
