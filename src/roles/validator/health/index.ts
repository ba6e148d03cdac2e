/**
 * Whether the validator works: readiness and proof of health, and the watchdog that ends a process that hangs.
 *
 * Tests named after a behaviour: watchdog.test.ts (watchdog.ts, watchdog-worker.ts).
 */
export { type Health, watchHealth } from './health.js'
export { startWatchdog, type Watchdog } from './watchdog.js'
