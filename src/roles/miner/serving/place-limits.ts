import type { MinerSettings } from '../../../config/index.js'

/** Concurrent requests of a caller without a validator permit, unless the operator sets a number for all callers. */
const DEFAULT_PER_SIGNER = 8

/** A hub signs the requests of all its users with one validator's hotkey; a quarter stays free for everyone else. */
const VALIDATOR_SHARE = 0.75

export function readPlaceLimits(settings: Pick<MinerSettings, 'max-in-flight' | 'max-in-flight-per-signer'>) {
  const maxInFlight = settings['max-in-flight']
  const perSigner = settings['max-in-flight-per-signer']
  const maxInFlightPerSigner = perSigner ?? DEFAULT_PER_SIGNER
  const share = Math.floor(maxInFlight * VALIDATOR_SHARE)
  return {
    maxInFlight,
    maxInFlightPerSigner,
    maxInFlightPerValidator: perSigner ?? Math.max(share, maxInFlightPerSigner),
  }
}
