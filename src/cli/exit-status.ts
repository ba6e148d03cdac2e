import { type Fault, TargonError } from '../kernel/index.js'

/** Exit statuses, documented in docs/errors.md. Changing one is a breaking change. */
export const EXIT_STATUS = {
  ok: 0,
  runtime: 1,
  usage: 2,
  chain: 3,
  upstream: 4,
  verification: 5,
  update: 6,
  'hotkey-in-use': 7,
  updateAvailable: 10,
  /** EX_UNAVAILABLE: may recover without action, so a supervisor should restart the process. */
  unreachable: 69,
  watchdog: 70,
  restartWanted: 75,
  /** EX_CONFIG: no release to start, or a Node.js that is too old (bin/run.js, deploy/launcher.mjs). */
  noRelease: 78,
} as const satisfies Record<Fault, number> & Record<string, number>

/** An error that is not a TargonError is a bug and counts as a runtime failure. */
export function exitStatus(error: unknown): number {
  return error instanceof TargonError ? EXIT_STATUS[error.fault] : EXIT_STATUS.runtime
}
