import { type Clock, type Log, withDeadline } from '../../../kernel/index.js'

export interface BackgroundJob<Input> {
  /** Starts the job; while it is running, makes it run once more afterwards. Returns at once. */
  request(input: Input): void
  /** Resolves when the job is not running. */
  idle(): Promise<void>
}

/**
 * A job that takes too long to run within the epoch task, such as loading a model. One run at a time; of the requests
 * made during a run only the newest is kept. A run ends at its deadline and when the signal aborts.
 */
export function createBackgroundJob<Input>(
  { clock, log, name, timeoutMs }: { clock: Clock; log: Log; name: string; timeoutMs: number },
  work: (input: Input, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): BackgroundJob<Input> {
  let next: { readonly input: Input } | undefined
  let running: Promise<void> | undefined
  const run = async () => {
    while (next && !signal.aborted) {
      const { input } = next
      next = undefined
      try {
        await withDeadline(clock, name, timeoutMs, signal, (inner) => work(input, inner))
      } catch (error) {
        if (!signal.aborted)
          log.warn({ event: 'background-job-failed', job: name, err: error }, 'a background job failed')
      }
    }
    running = undefined
  }
  return {
    request: (input) => {
      next = { input }
      running ??= run()
    },
    idle: async () => running,
  }
}
