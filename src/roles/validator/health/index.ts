/** Whether the validator works: readiness and proof of health, and the watchdog that ends a process that hangs. */
export { type Health, watchHealth } from './health.js'
export { startWatchdog, type Watchdog } from './watchdog.js'
