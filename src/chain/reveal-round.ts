/** The state that determines the epoch schedule, read at one block. */
export interface EpochState {
  readonly netuid: number
  /** Block at which it was read. */
  readonly head: number
  readonly tempo: number
  /** Epochs between commit and reveal. */
  readonly revealPeriod: number
  /** Undefined on runtimes before spec 423, whose epochs depend on the block number alone. */
  readonly stateful?: {
    readonly lastEpochBlock: number
    /** 0 = none. */
    readonly pendingEpochAt: number
    readonly epochIndex: number
    readonly blocksSinceLastStep: number
  }
}

/** Blocks after which the chain runs an epoch in any case (subtensor MAX_BLOCKS_SINCE_LAST_STEP). */
const LONGEST_EPOCH_BLOCKS = 50_400
/** Margin between the first block of the reveal epoch and the round's time (SDK SECURITY_BLOCK_OFFSET). */
const SECURITY_BLOCKS = 3

/**
 * First block at which a commit included in the next block is revealed. Spec 423 and later by simulation (RaoFoundation
 * bittensor-core epoch_schedule.rs), earlier ones by formula (bittensor-drand 1.2).
 *
 * @throws RangeError when the subnet has no epochs (tempo 0).
 */
export function firstRevealBlock(state: EpochState): number {
  const { netuid, head, tempo, revealPeriod, stateful } = state
  if (tempo <= 0) throw new RangeError('the subnet runs no epochs (tempo 0)')
  const next = head + 1
  if (!stateful) {
    const epoch = Math.floor((next + netuid + 1) / (tempo + 1))
    return (epoch + revealPeriod) * (tempo + 1) - (netuid + 1)
  }
  let { lastEpochBlock, pendingEpochAt, epochIndex, blocksSinceLastStep } = stateful
  let commitEpoch: number | undefined
  for (let block = next; ; block++) {
    blocksSinceLastStep++
    const isDue =
      (pendingEpochAt > 0 && block >= pendingEpochAt) ||
      blocksSinceLastStep > LONGEST_EPOCH_BLOCKS ||
      block - lastEpochBlock >= tempo
    if (isDue) {
      lastEpochBlock = block
      pendingEpochAt = 0
      blocksSinceLastStep = 0
      epochIndex++
    }
    commitEpoch ??= epochIndex
    if (epochIndex === commitEpoch + revealPeriod) return block
  }
}

/** The schedule of a beacon. */
export interface BeaconClock {
  /** Start of round 1, in seconds since the Unix epoch. */
  readonly genesisSeconds: number
  readonly periodSeconds: number
}

/**
 * The round whose signature is published just after the reveal epoch began.
 *
 * @param headSeconds time of the head block, seconds since the Unix epoch.
 */
export function revealRound(
  state: EpochState,
  headSeconds: number,
  blockSeconds: number,
  { genesisSeconds, periodSeconds }: BeaconClock,
): { readonly round: number; readonly block: number } {
  const block = firstRevealBlock(state)
  const seconds = headSeconds + (block + SECURITY_BLOCKS - state.head) * blockSeconds
  return { round: Math.max(1, Math.floor((seconds - genesisSeconds) / periodSeconds)), block }
}
