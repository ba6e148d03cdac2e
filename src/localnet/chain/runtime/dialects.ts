import { ERRORS_OF_343, ERRORS_OF_419, ERRORS_OF_425, ERRORS_OF_461, ERRORS_OF_475 } from './error-indexes.js'

/**
 * A generation of the runtime: which names exist, at which index, and how epochs are scheduled. What a dialect does
 * not mention equals the dialect of spec 425.
 */
export interface Dialect {
  /** First spec version of the generation. */
  readonly since: number
  /** Last one, where the generation that follows is unknown. */
  readonly until?: number
  readonly specVersion: number
  readonly transactionVersion: number
  /** `stateful`: LastEpochBlock + Tempo; `formula`: (block + netuid + 1) % (tempo + 1) == 0. */
  readonly epochs: 'stateful' | 'formula'
  /** Which calls SubtensorTransactionExtension checks before dispatch: axon announcements only, or weights too. */
  readonly poolChecks: 'axon' | 'axon-and-weights'
  /** Whether a time-locked payload contains the hotkey (commit-reveal v4) or not. */
  readonly commitPayload: 'with-hotkey' | 'without-hotkey'
  /** How many bytes the ciphertext of a time-locked commit may have to be decoded. */
  readonly maxCommitBytes: number
  /** Whether the metagraph ends with the collateral of each neuron. */
  readonly hasCollateral: boolean
  /** Whether neurons and hyperparameters are returned as `Vec<u8>` with the encoded value in it. */
  readonly hasOpaqueResults: boolean
  /** Storage items, calls, events, extensions and `Api_method`s that do not exist, by name. */
  readonly omitted: readonly string[]
  /** Event indexes that differ from spec 425. */
  readonly eventIndexes: Readonly<Record<string, number>>
  /** Indexes of the errors of SubtensorModule, by name. */
  readonly errors: Readonly<Record<string, number>>
}

const ALL_PRICES = 'SwapRuntimeApi_current_alpha_price_all'
const OLD_STORAGE = ['Rank', 'Trust', 'PruningScores']
const EPOCH_STORAGE = ['LastEpochBlock', 'PendingEpochAt', 'SubnetEpochIndex', 'ActivityCutoffFactorMilli']
const RECENT_EXTENSIONS = ['SudoTransactionExtension', 'CheckShieldedTxValidity']
const OLD_EXTENSIONS = ['SubtensorSignedExtension', 'CommitmentsSignedExtension']
const MECHANISM_NAMES = [
  'set_mechanism_weights',
  'commit_crv3_mechanism_weights',
  'commit_timelocked_mechanism_weights',
  'SubnetInfoRuntimeApi_get_mechagraph',
  'SubnetInfoRuntimeApi_get_selective_mechagraph',
]

/** What came with the subnets' tokens, or changed with them. */
const TOKEN_NAMES = [
  ...['TotalHotkeyAlpha', 'TaoWeight', 'TokenSymbol', 'SubnetOwnerHotkey'],
  ...['add_stake', 'remove_stake', 'StakeAdded', 'StakeRemoved'],
  'SubnetInfoRuntimeApi_get_subnet_info_v2',
  'SubnetInfoRuntimeApi_get_subnets_info_v2',
  'SubnetInfoRuntimeApi_get_dynamic_info',
  'SubnetInfoRuntimeApi_get_all_dynamic_info',
  'SubnetInfoRuntimeApi_get_subnet_state',
  'SubnetInfoRuntimeApi_get_metagraph',
  'SubnetInfoRuntimeApi_get_selective_metagraph',
  'SwapRuntimeApi_current_alpha_price',
]
const COLLATERAL_STORAGE = ['MinerCollateral']
const CONSENSUS_STORAGE = ['SubnetEpochConsensus', 'LastYumaStepBlock', 'SavedYumaMaxAllowedValidators']
/** MAX_CRV3_COMMIT_SIZE_BYTES up to spec 473. */
const SMALL_COMMIT_BYTES = 5000

/** Finney in mid 2026, and the default of the development chain. */
const SPEC_425: Dialect = {
  since: 423,
  specVersion: 425,
  transactionVersion: 1,
  epochs: 'stateful',
  poolChecks: 'axon-and-weights',
  commitPayload: 'with-hotkey',
  maxCommitBytes: SMALL_COMMIT_BYTES,
  hasCollateral: false,
  hasOpaqueResults: false,
  omitted: [
    ...OLD_STORAGE,
    ...OLD_EXTENSIONS,
    ...COLLATERAL_STORAGE,
    ...CONSENSUS_STORAGE,
    'commit_crv3_weights',
  ],
  eventIndexes: {},
  errors: ERRORS_OF_425,
}

/** Miners lock collateral when they register; most events moved by one. */
const SPEC_461: Dialect = {
  ...SPEC_425,
  since: 461,
  specVersion: 461,
  hasCollateral: true,
  omitted: [...OLD_STORAGE, ...OLD_EXTENSIONS, ...CONSENSUS_STORAGE, 'commit_crv3_weights'],
  eventIndexes: {
    NeuronRegistered: 7,
    AxonServed: 29,
    CRV3WeightsCommitted: 85,
    WeightsCommitted: 86,
    WeightsRevealed: 87,
    CRV3WeightsRevealed: 100,
    TimelockedWeightsCommitted: 108,
    TimelockedWeightsRevealed: 109,
  },
  errors: ERRORS_OF_461,
}

/** Finney since October 2026: the owner of a subnet can switch to Null consensus, with larger commits. */
const SPEC_475: Dialect = {
  ...SPEC_461,
  since: 474,
  specVersion: 475,
  maxCommitBytes: 32 * 1024,
  omitted: [...OLD_STORAGE, ...OLD_EXTENSIONS, 'commit_crv3_weights'],
  errors: ERRORS_OF_475,
}

/** Early 2026: Rank, Trust and PruningScores are gone, epochs still follow the formula. */
const SPEC_419: Dialect = {
  ...SPEC_425,
  since: 401,
  specVersion: 419,
  epochs: 'formula',
  omitted: [...SPEC_425.omitted, ...EPOCH_STORAGE, 'SubnetInfoRuntimeApi_get_next_epoch_start_block'],
  eventIndexes: {
    CRV3WeightsCommitted: 83,
    WeightsCommitted: 84,
    WeightsRevealed: 85,
    CRV3WeightsRevealed: 98,
    TimelockedWeightsCommitted: 106,
    TimelockedWeightsRevealed: 107,
  },
  errors: ERRORS_OF_419,
}

/** Finney in late 2025: mechanisms, no stateful epochs, different event and error indexes. */
const SPEC_343: Dialect = {
  ...SPEC_419,
  since: 318,
  specVersion: 343,
  omitted: [
    ...EPOCH_STORAGE,
    ...COLLATERAL_STORAGE,
    ...CONSENSUS_STORAGE,
    ...RECENT_EXTENSIONS,
    ...OLD_EXTENSIONS,
    'commit_crv3_weights',
    ALL_PRICES,
    'SubnetInfoRuntimeApi_get_next_epoch_start_block',
  ],
  eventIndexes: {
    CRV3WeightsCommitted: 78,
    WeightsCommitted: 79,
    WeightsRevealed: 80,
    CRV3WeightsRevealed: 93,
    TimelockedWeightsCommitted: 101,
    TimelockedWeightsRevealed: 102,
  },
  errors: ERRORS_OF_343,
}

/** Finney in mid 2025: no mechanisms, and `commit_crv3_weights` with a payload without the hotkey. */
const SPEC_293: Dialect = {
  ...SPEC_343,
  since: 290,
  specVersion: 293,
  poolChecks: 'axon',
  commitPayload: 'without-hotkey',
  omitted: [
    ...EPOCH_STORAGE,
    ...COLLATERAL_STORAGE,
    ...CONSENSUS_STORAGE,
    ...RECENT_EXTENSIONS,
    ...OLD_EXTENSIONS,
    ...MECHANISM_NAMES,
    'DrandPriority',
    'MechanismCountCurrent',
    'MinAllowedUids',
    'TimelockedWeightCommits',
    'CommitRevealWeightsVersion',
    'commit_timelocked_weights',
    'TimelockedWeightsCommitted',
    'TimelockedWeightsRevealed',
    ALL_PRICES,
    'SubnetInfoRuntimeApi_get_next_epoch_start_block',
  ],
}

/**
 * Finney in January 2025, before subnets had a token of their own. Stake is known from the neurons only. The indexes of the
 * errors are those of spec 343.
 */
const SPEC_217: Dialect = {
  ...SPEC_293,
  since: 217,
  until: 218,
  specVersion: 217,
  hasOpaqueResults: true,
  omitted: [
    ...SPEC_293.omitted.filter((name) => !OLD_EXTENSIONS.includes(name)),
    ...TOKEN_NAMES,
    'SubtensorTransactionExtension',
    'CRV3WeightsRevealed',
  ],
  eventIndexes: {
    WeightsSet: 4,
    NeuronRegistered: 5,
    AxonServed: 24,
    CRV3WeightsCommitted: 79,
    WeightsCommitted: 80,
    WeightsRevealed: 81,
  },
}

/** Newest first. */
const DIALECTS: readonly Dialect[] = [SPEC_475, SPEC_461, SPEC_425, SPEC_419, SPEC_343, SPEC_293, SPEC_217]

/**
 * The dialect of a spec version, with that version number.
 *
 * @throws RangeError when the spec version is older than the oldest dialect, or of a generation that is unknown
 */
export function dialectOf(specVersion: number): Dialect {
  const known = DIALECTS.find((dialect) => dialect.since <= specVersion)
  if (!known || specVersion > (known.until ?? specVersion))
    throw new RangeError(`no dialect for spec ${specVersion}`)
  return { ...known, specVersion }
}
