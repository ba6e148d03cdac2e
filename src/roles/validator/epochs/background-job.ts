import { type Clock, type Log, withDeadline } from '../../../kernel/index.js'

export interface BackgroundJob<Input> {
  /** Starts the job, or notes that it is wanted once more when it is under way; returns at once. */
  ask(input: Input): void
  /** Settles when nothing is under way. */
  idle(): Promise<void>
}

/**
 * A job too long for its turn in the epoch task, such as loading a model: it runs aside, one at a time, and of what is
 * asked for meanwhile only the newest is done. It ends at its deadline and when the signal aborts.
 */
export function createBackgroundJob<Input>(
  { clock, log, name, timeoutMs }: { clock: Clock; log: Log; name: string; timeoutMs: number },
  work: (input: Input, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): BackgroundJob<Input> {
  let wanted: { readonly input: Input } | undefined
  let running: Promise<void> | undefined
  const run = async () => {
    while (wanted && !signal.aborted) {
      const { input } = wanted
      wanted = undefined
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
    ask: (input) => {
      wanted = { input }
      running ??= run()
    },
    idle: async () => running,
  }
}
