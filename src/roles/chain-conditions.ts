import type { Condition, Finding } from '../alerts/index.js'
import type { Subtensor } from '../chain/index.js'
import { type Clock, TargonError } from '../kernel/index.js'

/** The part of the chain client that tells how the chain is. */
export type ChainView = Pick<Subtensor, 'head' | 'clockOffsetMs'>

/** Blocks come every 12 s; ten missing in a row mean an outage of the chain or of the connection to it. */
const STALE_MS = 120_000
/** The chain client compares the clock every five minutes. */
const CLOCK_SETTLE_MS = 600_000

/** What can go wrong between a node and the chain. */
export function chainConditions(clock: Pick<Clock, 'monotonic'>, subtensor: ChainView): Condition[] {
  return [staleCondition(clock, subtensor), clockCondition(subtensor)]
}

function staleCondition(clock: Pick<Clock, 'monotonic'>, subtensor: ChainView): Condition {
  let block = subtensor.head().number
  let seenAt = clock.monotonic()
  return {
    ...{ id: 'chain-stale', severity: 'critical', forMs: 0, settleMs: STALE_MS },
    look: () => {
      const { number } = subtensor.head()
      if (number !== block) seenAt = clock.monotonic()
      block = number
      const ageMs = clock.monotonic() - seenAt
      if (ageMs <= STALE_MS) return []
      return [
        {
          sentence: `No new block has arrived since block ${number}, for ${Math.round(ageMs / 1000)} s.`,
          next: 'Check --subtensor.chain_endpoint and the network connection of this machine.',
        },
      ]
    },
  }
}

function clockCondition(subtensor: ChainView): Condition {
  return {
    ...{ id: 'clock-off', severity: 'critical', forMs: 0, settleMs: CLOCK_SETTLE_MS },
    look: () => {
      const seconds = Math.round(subtensor.clockOffsetMs / 1000)
      if (seconds === 0) return []
      const direction = seconds > 0 ? 'ahead of' : 'behind'
      return [
        {
          sentence: `The clock of this machine is at least ${Math.abs(seconds)} s ${direction} the chain, so signed requests are refused.`,
          next: 'Check NTP on this machine, then check whether the chain endpoint lags.',
        },
      ]
    },
  }
}

/**
 * What to tell when a metagraph cannot follow from the one before. The endpoint is not named: its address may contain a key.
 *
 * @param error why the metagraph was not read.
 */
export function implausibleFindings(error: unknown): Finding[] {
  if (!(error instanceof TargonError && error.code === 'CHAIN_IMPLAUSIBLE')) return []
  const { what, before, now } = error.facts
  return [
    {
      sentence: `The chain endpoint in use shows an impossible change of the subnet (${what}: ${before}, then ${now}), so the last accepted metagraph stays in use.`,
      next: 'Add a second endpoint with --subtensor.chain_endpoint, or remove the one that is wrong.',
    },
  ]
}
