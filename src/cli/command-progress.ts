import { systemClock } from '../kernel/index.js'
import type { Progress } from '../telemetry/index.js'
import { writeToStandardError } from './standard-error.js'

const LINE_MS = 15_000

/** Progress of a command that is not a neuron, on standard error: a bar on a terminal, otherwise a line every 15 s. */
export async function openCommandProgress(): Promise<Progress> {
  if (process.stderr.isTTY === true) {
    const { drawProgress } = await import('../telemetry/index.js')
    return drawProgress({
      write: writeToStandardError,
      get columns() {
        return process.stderr.columns
      },
    })
  }
  let writtenAt = Number.NEGATIVE_INFINITY
  return {
    report: (task, status, percent) => {
      const now = systemClock.monotonic()
      if (percent === undefined || now - writtenAt < LINE_MS) return
      writtenAt = now
      writeToStandardError(`${task}: ${status}\n`)
    },
    end: () => {},
  }
}
