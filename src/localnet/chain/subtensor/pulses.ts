import type { DevelopmentBeacon } from '../beacon/index.js'
import { drand } from '../runtime/index.js'
import { utf8 } from '../scale/index.js'
import type { StorageWriter } from '../storage/index.js'
import type { PalletContext } from './context.js'

/** Rounds one block can store, as the real off-chain worker fetches at most so many at once. */
const MAX_PULSES_PER_BLOCK = 50n
/** Older pulses are dropped. */
const KEPT_PULSES = 2000n

/** Tells clients which beacon the chain follows; the rounds before genesis are not stored. */
export function writeBeaconGenesis(storage: StorageWriter, beacon: DevelopmentBeacon, nowMs: number): void {
  const real = storage.get(drand.BeaconConfig)
  storage.set(drand.BeaconConfig, {
    ...real,
    public_key: beacon.publicKey,
    period: beacon.periodSeconds,
    genesis_time: beacon.genesisSeconds,
    metadata: { beacon_id: utf8('development') },
  })
  const round = beacon.roundAt(nowMs)
  storage.set(drand.LastStoredRound, round)
  storage.set(drand.OldestStoredRound, round + 1n)
}

/** Stores the pulses that have come out since the last block. */
export function storePulses(context: PalletContext, beacon: DevelopmentBeacon, nowMs: number): void {
  const { storage } = context
  const last = storage.get(drand.LastStoredRound)
  const current = beacon.roundAt(nowMs)
  const newest = current - last > MAX_PULSES_PER_BLOCK ? last + MAX_PULSES_PER_BLOCK : current
  const rounds: bigint[] = []
  for (let round = last + 1n; round <= newest; round++) {
    storage.set(drand.Pulses, beacon.pulseOf(round), round)
    rounds.push(round)
  }
  if (rounds.length === 0) return
  storage.set(drand.LastStoredRound, newest)
  context.deposit({ type: 'Drand', value: { type: 'NewPulse', value: { rounds } } })
  prunePulses(storage, newest)
}

function prunePulses(storage: StorageWriter, newest: bigint): void {
  let oldest = storage.get(drand.OldestStoredRound)
  while (newest - oldest >= KEPT_PULSES) storage.delete(drand.Pulses, oldest++)
  storage.set(drand.OldestStoredRound, oldest)
}
