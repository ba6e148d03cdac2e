import type { TransactionExtension } from '../metadata/index.js'
import {
  type AnyType,
  at,
  compactU32,
  compactU64,
  fixedBytes,
  newtype,
  option,
  type Reader,
  type ScaleType,
  struct,
  u8,
  u32,
  unit,
  unitVariants,
  type VariantEntry,
  variant,
} from '../scale/index.js'
import { h256 } from './types.js'

export interface MortalEra {
  readonly type: string
  readonly value: number
}

function eraEntries(): { readonly [name: string]: VariantEntry } {
  const mortal = Array.from(
    { length: 255 },
    (_, index) => [`Mortal${index + 1}`, at(index + 1, [u8])] as const,
  )
  return { Immortal: at(0, null), ...Object.fromEntries(mortal) }
}

const era = variant('sp_runtime::generic::era::Era', eraEntries())
const checkMortality = newtype('node_subtensor_runtime::check_mortality::CheckMortality', era)
const checkNonce = newtype('node_subtensor_runtime::check_nonce::CheckNonce', compactU32)
const chargePayment = newtype('pallet_transaction_payment::ChargeTransactionPayment', compactU64)
const metadataHashMode = variant('frame_metadata_hash_extension::Mode', unitVariants('Disabled', 'Enabled'))
const checkMetadataHash = struct('frame_metadata_hash_extension::CheckMetadataHash', {
  mode: metadataHashMode,
})
const optionalHash = option(fixedBytes(32))

/** The `extra` of a signed extrinsic, in encoding order. */
export interface SignedExtra {
  readonly era: MortalEra
  readonly nonce: number
  readonly tip: bigint
  readonly metadataHash: boolean
}

export function decodeExtra(reader: Reader): SignedExtra {
  const decodedEra = checkMortality.decode(reader)
  return {
    era: { type: decodedEra.type, value: Number(decodedEra.value ?? 0) },
    nonce: checkNonce.decode(reader),
    tip: chargePayment.decode(reader),
    metadataHash: checkMetadataHash.decode(reader).mode.type === 'Enabled',
  }
}

/** The implicit part of the signed payload, in extension order. */
export interface SignedImplicit {
  readonly specVersion: number
  readonly transactionVersion: number
  readonly genesisHash: Uint8Array
  readonly birthHash: Uint8Array
}

export const implicitType: ScaleType<SignedImplicit & { metadataHash: Uint8Array | undefined }> = struct(
  'Implicit',
  {
    specVersion: u32,
    transactionVersion: u32,
    genesisHash: h256,
    birthHash: h256,
    metadataHash: optionalHash,
  },
)
function empty(path: string): AnyType {
  return struct(path, {})
}

const EXTENSIONS: readonly TransactionExtension[] = [
  extension(
    'CheckNonZeroSender',
    empty('frame_system::extensions::check_non_zero_sender::CheckNonZeroSender'),
  ),
  extension('CheckSpecVersion', empty('frame_system::extensions::check_spec_version::CheckSpecVersion'), u32),
  extension('CheckTxVersion', empty('frame_system::extensions::check_tx_version::CheckTxVersion'), u32),
  extension('CheckGenesis', empty('frame_system::extensions::check_genesis::CheckGenesis'), h256),
  extension('CheckMortality', checkMortality, h256),
  extension('CheckNonce', checkNonce),
  extension('CheckWeight', empty('frame_system::extensions::check_weight::CheckWeight')),
  // The real runtime wraps this extension, but its metadata shows the inner type.
  extension('ChargeTransactionPayment', chargePayment),
  extension(
    'SudoTransactionExtension',
    empty('node_subtensor_runtime::sudo_wrapper::SudoTransactionExtension'),
  ),
  extension('CheckShieldedTxValidity', empty('pallet_shield::extension::CheckShieldedTxValidity')),
  extension(
    'SubtensorTransactionExtension',
    empty('pallet_subtensor::extensions::subtensor::SubtensorTransactionExtension'),
  ),
  // Before they became one extension, in the order of that time.
  extension('SubtensorSignedExtension', empty('pallet_subtensor::pallet::SubtensorSignedExtension')),
  extension('CommitmentsSignedExtension', empty('pallet_commitments::CommitmentsSignedExtension')),
  extension('DrandPriority', empty('pallet_drand::drand_priority::DrandPriority')),
  extension('CheckMetadataHash', checkMetadataHash, optionalHash),
]

/** The transaction extensions in order, without those that a dialect omits. */
export function extensionsWithout(omitted: readonly string[]): readonly TransactionExtension[] {
  return EXTENSIONS.filter(({ identifier }) => !omitted.includes(identifier))
}

function extension(identifier: string, extra: AnyType, implicit: AnyType = unit): TransactionExtension {
  return { identifier, extra, implicit }
}
