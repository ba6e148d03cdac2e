export { DevelopmentBeacon, type Pulse, verifyPulse } from './beacon.js'
export { openTimelock } from './timelock.js'
