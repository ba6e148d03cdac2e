import { at, bytes, newtype, struct, u8, u32, u64, unitVariants, variant, vec } from '../scale/index.js'
import { blake2Concat, optionalMap, palletItems, plain } from '../storage/index.js'

const bounded = newtype('bounded_collections::bounded_vec::BoundedVec', bytes, { T: u8, S: undefined })

export const pulse = struct('pallet_drand::types::Pulse', {
  round: u64,
  randomness: bounded,
  signature: bounded,
})
export const beaconConfig = struct('pallet_drand::types::BeaconConfiguration', {
  public_key: bounded,
  period: u32,
  genesis_time: u32,
  hash: bounded,
  group_hash: bounded,
  scheme_id: bounded,
  metadata: struct('pallet_drand::types::Metadata', { beacon_id: bounded }),
})

/** Storage items of the Drand pallet. The default beacon is drand quicknet, as in the real runtime. */
export const drand = palletItems('Drand', {
  BeaconConfig: plain(beaconConfig, {
    public_key: hexBytes(
      '83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451',
      '0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a',
    ),
    period: 3,
    genesis_time: 1_692_803_367,
    hash: hexBytes('52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971'),
    group_hash: hexBytes('f477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e'),
    scheme_id: new TextEncoder().encode('bls-unchained-g1-rfc9380'),
    metadata: { beacon_id: new TextEncoder().encode('quicknet') },
  }),
  Pulses: optionalMap([blake2Concat(u64)], pulse),
  LastStoredRound: plain(u64, 0n),
  OldestStoredRound: plain(u64, 0n),
  NextUnsignedAt: plain(u32, 0),
})
export const drandEvents = variant('pallet_drand::pallet::Event', {
  BeaconConfigChanged: at(0, null),
  NewPulse: at(1, { rounds: vec(u64) }),
  SetOldestStoredRound: at(2, [u64]),
})
export const drandErrors = variant(
  'pallet_drand::pallet::Error',
  unitVariants(
    ...['NoneValue', 'StorageOverflow', 'DrandConnectionFailure', 'UnverifiedPulse', 'InvalidRoundNumber'],
    'PulseVerificationError',
  ),
)

function hexBytes(...parts: readonly string[]): Uint8Array {
  return new Uint8Array(Buffer.from(parts.join(''), 'hex'))
}
