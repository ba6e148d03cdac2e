import { ERRORS_SINCE_343, SUBTENSOR_ERRORS } from './errors.js'

/**
 * A generation of the runtime: which names exist, under which index, and how epochs are scheduled.
 * Everything a dialect does not mention is as in the newest one.
 */
export interface Dialect {
  /** First spec version that speaks it. */
  readonly since: number
  readonly specVersion: number
  readonly transactionVersion: number
  /** `stateful`: LastEpochBlock + Tempo; `formula`: (block + netuid + 1) % (tempo + 1) == 0. */
  readonly epochs: 'stateful' | 'formula'
  /** What the pool refuses before dispatch: axon announcements only, or weights as well. */
  readonly poolGuards: 'axon' | 'axon-and-weights'
  /** Form of a time-locked payload: with the hotkey (v4) or without it. */
  readonly commitPayload: 'with-hotkey' | 'without-hotkey'
  /** `Pallet.Item`, call, event, extension and `Api_method` names that do not exist. */
  readonly omitted: readonly string[]
  /** Event indexes that differ from the newest dialect. */
  readonly eventIndexes: Readonly<Record<string, number>>
  /** Errors of SubtensorModule in the order of their indexes. */
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
  poolGuards: 'axon-and-weights',
  commitPayload: 'with-hotkey',
  omitted: [...OLD_STORAGE, 'commit_crv3_weights'],
  eventIndexes: {},
  errors: SUBTENSOR_ERRORS,
}

/** Finney of late 2025: mechanisms, no stateful epochs, other event and error indexes. */
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

/** Mid 2025: no mechanisms, `commit_crv3_weights` with a payload that does not name the hotkey. */
const SPEC_293: Dialect = {
  ...SPEC_343,
  since: 290,
  specVersion: 293,
  poolGuards: 'axon',
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
 * The dialect a spec version speaks, under that number.
 *
 * @throws RangeError below the oldest known dialect.
 */
export function dialectOf(specVersion: number): Dialect {
  const known = DIALECTS.find((dialect) => dialect.since <= specVersion)
  if (!known) throw new RangeError(`no dialect for spec ${specVersion}`)
  return { ...known, specVersion }
}

/** The newest list without what came later, and with what has gone since, each after its predecessor. */
function errorsOf343(): readonly string[] {
  const later = new Set<string>([
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
  const names: string[] = SUBTENSOR_ERRORS.filter((name) => !later.has(name))
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
