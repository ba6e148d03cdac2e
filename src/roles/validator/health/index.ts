export { watchHealth } from './healthy.js'
export { createReadiness } from './readiness.js'
export { startWatchdog, type Watchdog } from './watchdog.js'
