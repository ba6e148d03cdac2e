import {
  at,
  bool,
  bytes,
  fixedBytes,
  option,
  struct,
  u8,
  u64,
  unitVariants,
  variant,
  vec,
} from '../scale/index.js'
import { dispatchClass, weight } from './types.js'

// Results of dispatching, validating and paying for an extrinsic.
const moduleError = struct('sp_runtime::ModuleError', { index: u8, error: fixedBytes(4) })
const tokenError = variant(
  'sp_runtime::TokenError',
  unitVariants(
    ...['FundsUnavailable', 'OnlyProvider', 'BelowMinimum', 'CannotCreate', 'UnknownAsset', 'Frozen'],
    ...['Unsupported', 'CannotCreateHold', 'NotExpendable', 'Blocked'],
  ),
)
const arithmeticError = variant(
  'sp_arithmetic::ArithmeticError',
  unitVariants('Underflow', 'Overflow', 'DivisionByZero'),
)
const transactionalError = variant('sp_runtime::TransactionalError', unitVariants('LimitReached', 'NoLayer'))
const trieError = variant(
  'sp_runtime::proving_trie::TrieError',
  unitVariants(
    ...['InvalidStateRoot', 'IncompleteDatabase', 'ValueAtIncompleteKey', 'DecoderError', 'InvalidHash'],
    ...[
      'DuplicateKey',
      'ExtraneousNode',
      'ExtraneousValue',
      'ExtraneousHashReference',
      'InvalidChildReference',
    ],
    ...['ValueMismatch', 'IncompleteProof', 'RootMismatch', 'DecodeError'],
  ),
)

export const dispatchError = variant('sp_runtime::DispatchError', {
  Other: at(0, null),
  CannotLookup: at(1, null),
  BadOrigin: at(2, null),
  Module: at(3, [moduleError]),
  ConsumerRemaining: at(4, null),
  NoProviders: at(5, null),
  TooManyConsumers: at(6, null),
  Token: at(7, [tokenError]),
  Arithmetic: at(8, [arithmeticError]),
  Transactional: at(9, [transactionalError]),
  Exhausted: at(10, null),
  Corruption: at(11, null),
  Unavailable: at(12, null),
  RootNotAllowed: at(13, null),
  Trie: at(14, [trieError]),
})

export const transactionSource = variant(
  'sp_runtime::transaction_validity::TransactionSource',
  unitVariants('InBlock', 'Local', 'External'),
)
const invalidTransaction = variant('sp_runtime::transaction_validity::InvalidTransaction', {
  Call: at(0, null),
  Payment: at(1, null),
  Future: at(2, null),
  Stale: at(3, null),
  BadProof: at(4, null),
  AncientBirthBlock: at(5, null),
  ExhaustsResources: at(6, null),
  Custom: at(7, [u8]),
  BadMandatory: at(8, null),
  MandatoryValidation: at(9, null),
  BadSigner: at(10, null),
  IndeterminateImplicit: at(11, null),
  UnknownOrigin: at(12, null),
})
const unknownTransaction = variant('sp_runtime::transaction_validity::UnknownTransaction', {
  CannotLookup: at(0, null),
  NoUnsignedValidator: at(1, null),
  Custom: at(2, [u8]),
})
const validityError = variant('sp_runtime::transaction_validity::TransactionValidityError', {
  Invalid: at(0, [invalidTransaction]),
  Unknown: at(1, [unknownTransaction]),
})
const validTransaction = struct('sp_runtime::transaction_validity::ValidTransaction', {
  priority: u64,
  requires: vec(bytes),
  provides: vec(bytes),
  longevity: u64,
  propagate: bool,
})
export const transactionValidity = variant(
  'Result',
  { Ok: at(0, [validTransaction]), Err: at(1, [validityError]) },
  { T: validTransaction, E: validityError },
)

export const dispatchInfo = struct(
  'pallet_transaction_payment::types::RuntimeDispatchInfo',
  { weight, class: dispatchClass, partial_fee: u64 },
  { Balance: u64, Weight: weight },
)
const inclusionFee = struct(
  'pallet_transaction_payment::types::InclusionFee',
  { base_fee: u64, len_fee: u64, adjusted_weight_fee: u64 },
  { Balance: u64 },
)
export const feeDetails = struct(
  'pallet_transaction_payment::types::FeeDetails',
  { inclusion_fee: option(inclusionFee), tip: u64 },
  { Balance: u64 },
)
