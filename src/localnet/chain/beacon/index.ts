/** The chain's own randomness beacon, and decryption of what was time-locked to it. */
export { DevelopmentBeacon, verifyPulse } from './beacon.js'
export { decryptTimelock } from './timelock.js'
