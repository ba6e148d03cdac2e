import { ERRORS_SINCE_343, SUBTENSOR_ERRORS } from './subtensor-errors.js'

// The errors of SubtensorModule in each dialect, by name. Their indexes move whenever a runtime adds or removes one in
// the middle, so each list is derived from the list of spec 425, which is written out.

type Indexes = Readonly<Record<string, number>>

/** What a list lacks or adds compared with the list of spec 425. */
interface Changes {
  readonly without: readonly string[]
  /** Each name stands after its predecessor, which must be in the list. */
  readonly after: readonly (readonly [predecessor: string, ...names: string[]])[]
}

/** Errors that spec 424 added to those of spec 419. */
const ERRORS_SINCE_419 = [
  'InvalidRevealRound',
  'TempoOutOfBounds',
  'ActivityCutoffFactorMilliOutOfBounds',
  'EpochTriggerAlreadyPending',
  'AutoEpochAlreadyImminent',
  'DynamicTempoBlockedByCommitReveal',
  'AccountRejectsLockedAlpha',
]

export const ERRORS_OF_343 = changed({
  without: [
    'NewHotKeyNotCleanForRootSwap',
    'ColdkeySwapAnnouncementNotFound',
    'ColdkeySwapTooEarly',
    'ColdkeySwapReannouncedTooEarly',
    'AnnouncedColdkeyHashDoesNotMatch',
    'ColdkeySwapAlreadyDisputed',
    'StakeUnavailable',
    'InvalidRevealRound',
    ...ERRORS_SINCE_343,
  ],
  after: [
    ['NotEnoughBalanceToPaySwapColdKey', 'ColdkeyIsInArbitration'],
    ['TxRateLimitExceeded', 'SwapAlreadyScheduled', 'FailedToSchedule'],
    ['MechanismDoesNotExist', 'CannotUnstakeLock'],
    ['HotKeySwapOnSubnetIntervalNotPassed', 'ZeroMaxStakeAmount'],
    ['InsufficientBalance', 'StakingOperationRateLimitExceeded'],
  ],
})

export const ERRORS_OF_419 = changed({
  without: ERRORS_SINCE_419,
  after: [
    [
      'UnlockAmountTooHigh',
      ...['ShortsDisabled', 'SubnetNotDynamic', 'ShortPositionNotFound', 'EffectiveLtvNonPositive'],
      ...['RetainedProceedsNonPositive', 'ShortCapacityExceeded', 'ReserveDomainExceeded'],
      ...['InvalidCloseFraction', 'InsufficientAlphaToClose', 'CloseCostExceedsClaim'],
      ...['PositionNotDefaultEligible', 'ShortHotkeyMismatch', 'ShortPositionLimit', 'LongsDisabled'],
      ...['LongPositionNotFound', 'LongCapacityExceeded', 'LongPositionLimit', 'LongHotkeyMismatch'],
      'InsufficientCollateral',
    ],
  ],
})

export const ERRORS_OF_425 = changed({ without: [], after: [] })

export const ERRORS_OF_461 = changed({
  without: ['InsufficientBalance', 'InvalidNumRootClaim', 'InvalidSubnetNumber'],
  after: [
    ['HotKeySwapOnSubnetIntervalNotPassed', 'KeepStakeBlockedByCollateral'],
    ['SameNetuid', 'InsufficientTaoBalance'],
    ['EvmKeyAssociateRateLimitExceeded', 'EvmKeyAssociationLimitExceeded'],
    ['Deprecated', 'SubnetBuybackRateLimitExceeded', 'NetworkDissolveAlreadyQueued'],
    ['UnlockAmountTooHigh', 'WaitingForDissolvedSubnetCleanup'],
    [
      'AccountRejectsLockedAlpha',
      ...['LockIdOverFlow', 'StartCallNotReady', 'InsufficientAlphaBalance', 'ColdkeyCollateralIncomplete'],
      ...['ColdkeyCollateralPositionsFull', 'BasketHasNoWeights', 'RootStakeLocked'],
      ...['BetaBasketSeedInProgress', 'RootWeightSettingDisabled', 'RootClaimTooHeavy'],
      ...['BasketConcentrationCapExceeded', 'BasketDepositPending', 'BasketTradingDisabled'],
      ...['BasketTradingFrozen', 'BasketTurnoverBudgetExceeded', 'BasketSameSubnet'],
      ...['BasketLiquidityCapExceeded', 'BasketMinOutNotMet'],
    ],
  ],
})

/** The names between those of spec 461 and these two are not known, so their indexes stay free. */
export const ERRORS_OF_475: Indexes = { ...ERRORS_OF_461, CommitPayloadTooLarge: 173, CommitQueueFull: 174 }

function changed({ without, after }: Changes): Indexes {
  const names: string[] = [...SUBTENSOR_ERRORS]
  // Names are added first, because a predecessor may itself be one that is then removed.
  for (const [predecessor, ...added] of after) names.splice(names.indexOf(predecessor) + 1, 0, ...added)
  const kept = names.filter((name) => !without.includes(name))
  return Object.fromEntries(kept.map((name, index) => [name, index]))
}
