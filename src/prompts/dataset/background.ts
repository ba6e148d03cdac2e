import type { Log } from '../../kernel/index.js'
import type { QuestionSource } from '../prompt.js'

/** Questions kept ready, so that a round never waits for the hub. */
const BUFFER_SIZE = 16

/**
 * Buffers the questions of a slow or unreliable source: a buffered question is returned at once and replaced in the
 * background; an empty buffer gives '', which means a bundled question. Logs once when the source fails and once when it
 * recovers.
 *
 * @param signal stops the reading.
 */
export function readInBackground(
  source: QuestionSource,
  log: Pick<Log, 'info' | 'warn'>,
  signal: AbortSignal,
): QuestionSource {
  const buffer: string[] = []
  let state: 'new' | 'read' | 'failed' = 'new'
  let isFilling = false

  const fill = async () => {
    if (isFilling || signal.aborted) return
    isFilling = true
    try {
      while (buffer.length < BUFFER_SIZE) {
        const question = await source.nextQuestion(signal)
        if (question === '') break
        buffer.push(question)
      }
      if (state !== 'read') log.info({ event: 'dataset-ready' }, 'using questions from the data set')
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
      const question = buffer.shift() ?? ''
      void fill()
      return question
    },
  }
}
