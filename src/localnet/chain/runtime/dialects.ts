import { ERRORS_SINCE_343, SUBTENSOR_ERRORS } from './subtensor-errors.js'

/**
 * A generation of the runtime: which names exist, at which index, and how epochs are scheduled. What a dialect does
 * not mention equals the newest one.
 */
export interface Dialect {
  /** First spec version of the generation. */
  readonly since: number
  readonly specVersion: number
  readonly transactionVersion: number
  /** `stateful`: LastEpochBlock + Tempo; `formula`: (block + netuid + 1) % (tempo + 1) == 0. */
  readonly epochs: 'stateful' | 'formula'
  /** Which calls SubtensorTransactionExtension checks before dispatch: axon announcements only, or weights too. */
  readonly poolChecks: 'axon' | 'axon-and-weights'
  /** Whether a time-locked payload contains the hotkey (commit-reveal v4) or not. */
  readonly commitPayload: 'with-hotkey' | 'without-hotkey'
  /** Storage items, calls, events, extensions and `Api_method`s that do not exist, by name. */
  readonly omitted: readonly string[]
  /** Event indexes that differ from the newest dialect. */
  readonly eventIndexes: Readonly<Record<string, number>>
  /** Errors of SubtensorModule, by index. */
  readonly errors: readonly string[]
}

const OLD_STORAGE = ['Rank', 'Trust', 'PruningScores']
const EPOCH_STORAGE = ['LastEpochBlock', 'PendingEpochAt', 'SubnetEpochIndex', 'ActivityCutoffFactorMilli']
const RECENT_EXTENSIONS = ['SudoTransactionExtension', 'CheckShieldedTxValidity']
const MECHANISM_NAMES = [
  'set_mechanism_weights',
  'commit_crv3_mechanism_weights',
  'commit_timelocked_mechanism_weights',
  'SubnetInfoRuntimeApi_get_mechagraph',
  'SubnetInfoRuntimeApi_get_selective_mechagraph',
]

const CURRENT: Dialect = {
  since: 423,
  specVersion: 425,
  transactionVersion: 1,
  epochs: 'stateful',
  poolChecks: 'axon-and-weights',
  commitPayload: 'with-hotkey',
  omitted: [...OLD_STORAGE, 'commit_crv3_weights'],
  eventIndexes: {},
  errors: SUBTENSOR_ERRORS,
}

/** Finney in late 2025: mechanisms, no stateful epochs, different event and error indexes. */
const SPEC_343: Dialect = {
  ...CURRENT,
  since: 318,
  specVersion: 343,
  epochs: 'formula',
  omitted: [
    ...EPOCH_STORAGE,
    ...RECENT_EXTENSIONS,
    'commit_crv3_weights',
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
  errors: errorsOf343(),
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
    ...RECENT_EXTENSIONS,
    ...MECHANISM_NAMES,
    'DrandPriority',
    'MechanismCountCurrent',
    'TimelockedWeightCommits',
    'CommitRevealWeightsVersion',
    'commit_timelocked_weights',
    'TimelockedWeightsCommitted',
    'TimelockedWeightsRevealed',
    'SubnetInfoRuntimeApi_get_next_epoch_start_block',
  ],
}

/** Newest first. */
const DIALECTS: readonly Dialect[] = [CURRENT, SPEC_343, SPEC_293]

/**
 * The dialect of a spec version, with that version number.
 *
 * @throws RangeError when the spec version is older than the oldest dialect
 */
export function dialectOf(specVersion: number): Dialect {
  const known = DIALECTS.find((dialect) => dialect.since <= specVersion)
  if (!known) throw new RangeError(`no dialect for spec ${specVersion}`)
  return { ...known, specVersion }
}

/** The newest list without the errors added since, and with the errors removed since, each after its predecessor. */
function errorsOf343(): readonly string[] {
  const added = new Set<string>([
    'NewHotKeyNotCleanForRootSwap',
    'ColdkeySwapAnnouncementNotFound',
    'ColdkeySwapTooEarly',
    'ColdkeySwapReannouncedTooEarly',
    'AnnouncedColdkeyHashDoesNotMatch',
    'ColdkeySwapAlreadyDisputed',
    'StakeUnavailable',
    'InvalidRevealRound',
    ...ERRORS_SINCE_343,
  ])
  const names: string[] = SUBTENSOR_ERRORS.filter((name) => !added.has(name))
  for (const [predecessor, name] of [
    ['NotEnoughBalanceToPaySwapColdKey', 'ColdkeyIsInArbitration'],
    ['TxRateLimitExceeded', 'SwapAlreadyScheduled'],
    ['SwapAlreadyScheduled', 'FailedToSchedule'],
    ['MechanismDoesNotExist', 'CannotUnstakeLock'],
    ['HotKeySwapOnSubnetIntervalNotPassed', 'ZeroMaxStakeAmount'],
    ['InsufficientBalance', 'StakingOperationRateLimitExceeded'],
  ] as const)
    names.splice(names.indexOf(predecessor) + 1, 0, name)
  return names
}
