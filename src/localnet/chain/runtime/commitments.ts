import { at, bytes, fixedBytes, newtype, struct, tuple, u16, u32, u64, variant, vec } from '../scale/index.js'
import { identity, optionalMap, palletItems, twoxConcat } from '../storage/index.js'
import { accountId } from './types.js'

// What clients read of the Commitments pallet. It stays empty, because the development chain has none of its calls.

const boundedVec = (item: typeof bytes) => newtype('bounded_collections::bounded_vec::BoundedVec', item)
const raw = Array.from({ length: 129 }, (_, length) => [`Raw${length}`, at(length + 1, [fixedBytes(length)])])

const commitmentData = variant('pallet_commitments::types::Data', {
  None: at(0, null),
  ...Object.fromEntries(raw),
  BlakeTwo256: at(130, [fixedBytes(32)]),
  Sha256: at(131, [fixedBytes(32)]),
  Keccak256: at(132, [fixedBytes(32)]),
  ShaThree256: at(133, [fixedBytes(32)]),
  TimelockEncrypted: at(134, { encrypted: boundedVec(bytes), reveal_round: u64 }),
  ResetBondsFlag: at(135, null),
  BigRaw: at(136, [boundedVec(bytes)]),
})

const registration = struct('pallet_commitments::types::Registration', {
  deposit: u64,
  block: u32,
  info: struct('pallet_commitments::types::CommitmentInfo', { fields: vec(commitmentData) }),
})

const byHotkey = [identity(u16), twoxConcat(accountId)] as const

export const commitments = palletItems('Commitments', {
  CommitmentOf: optionalMap(byHotkey, registration),
  RevealedCommitments: optionalMap(byHotkey, vec(tuple(bytes, u64))),
})
