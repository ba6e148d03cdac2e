import type { Condition } from '../../../alerts/index.js'
import type { Clock } from '../../../kernel/index.js'
import type { UpstreamReport } from '../../../routing/index.js'
import { implausibleFindings } from '../../chain-conditions.js'
import { END_WINDOW_MS, type ModelEnds } from './model-ends.js'
import { workersCondition } from './worker-condition.js'

/** The parts of a miner that know what can be wrong with it. */
export interface MinerAlertParts {
  readonly clock: Clock
  readonly hotkey: string
  readonly netuid: number
  /** `alert.idle` in milliseconds. */
  readonly idleMs: number
  readonly registration: {
    readonly self: () => unknown
    readonly isExpired: () => boolean
    readonly failure: () => unknown
  }
  readonly router: {
    readonly models: () => readonly string[]
    readonly report: () => readonly UpstreamReport[]
  }
  readonly isReplayStoreReachable: () => boolean
  /** How often workers were restarted since the start; 0 without workers. */
  readonly workerRestarts: () => number
  /** Requests admitted since the start. */
  readonly admitted: () => number
  readonly ends: Pick<ModelEnds, 'of'>
}

const LEAST_REQUESTS = 10
/** A model server that restarts is back within minutes; its failures are told by `model-failing` before. */
const UPSTREAM_MS = 120_000
const REPLAY_MS = 60_000

/** Whether this miner is asked, and can serve what it is asked. */
export function minerConditions(parts: MinerAlertParts): Condition[] {
  return [
    ...registrationConditions(parts),
    idleCondition(parts),
    ...upstreamConditions(parts),
    failingCondition(parts),
    replayCondition(parts),
    workersCondition(parts.clock, parts.workerRestarts),
  ]
}

function registrationConditions({ registration, hotkey, netuid }: MinerAlertParts): Condition[] {
  return [
    {
      ...{ id: 'deregistered', severity: 'critical', forMs: 0 },
      look: () => {
        if (registration.self() !== undefined) return []
        return [
          {
            sentence: `Hotkey ${hotkey} is no longer registered on subnet ${netuid}.`,
            next: `Register it again: btcli subnets register --netuid ${netuid}.`,
          },
        ]
      },
    },
    {
      ...{ id: 'metagraph-expired', severity: 'critical', forMs: 0 },
      look: () => {
        if (!registration.isExpired()) return []
        return [
          {
            sentence: 'The metagraph could not be read for two hours, so every caller is refused.',
            next: 'Check --subtensor.chain_endpoint and the event metagraph-refresh-failed in the log.',
          },
        ]
      },
    },
    {
      ...{ id: 'endpoints-differ', severity: 'critical', forMs: 0 },
      look: () => implausibleFindings(registration.failure()),
    },
  ]
}

function idleCondition({ clock, idleMs, admitted }: MinerAlertParts): Condition {
  let before = admitted()
  let askedAt = clock.monotonic()
  return {
    ...{ id: 'not-asked', severity: 'critical', forMs: 0, settleMs: idleMs },
    look: () => {
      const now = admitted()
      if (now !== before) askedAt = clock.monotonic()
      before = now
      const quietMs = clock.monotonic() - askedAt
      if (quietMs < idleMs) return []
      return [
        {
          sentence: `No validator has asked this miner anything for ${Math.round(quietMs / 60_000)} min.`,
          next: 'Check that the announced address can be reached from outside; --alert.idle sets the time.',
        },
      ]
    },
  }
}

function upstreamConditions({ router }: MinerAlertParts): Condition[] {
  return [
    {
      ...{ id: 'nothing-served', severity: 'critical', forMs: UPSTREAM_MS },
      look: () => {
        if (router.models().length > 0) return []
        return [
          {
            sentence: 'No model server is up, so every request is refused.',
            next: 'Check the model servers with targon miner upstreams.',
          },
        ]
      },
    },
    {
      ...{ id: 'upstream-down', severity: 'warning', forMs: UPSTREAM_MS },
      look: () =>
        router.report().flatMap(({ url, health, reason }) => {
          if (health === 'up') return []
          const why = reason === null ? '' : `: ${reason}`
          return [
            {
              subject: url,
              sentence: `The model server ${url} is ${health}${why}.`,
              next: 'Check that it runs, and look at it with targon miner upstreams.',
            },
          ]
        }),
    },
  ]
}

function failingCondition({ router, ends }: MinerAlertParts): Condition {
  return {
    ...{ id: 'model-failing', severity: 'critical', forMs: 0, settleMs: END_WINDOW_MS },
    look: () =>
      router.models().flatMap((model) => {
        const counts = ends.of(model)
        const failed = counts.get('failed') ?? 0
        if (failed < LEAST_REQUESTS || counts.has('served')) return []
        return [
          {
            subject: model,
            sentence: `All ${failed} requests for ${model} in the last 15 minutes failed.`,
            next: 'Look for the events request-not-served and answer-interrupted in the log; targon miner check asks the model servers as a validator would.',
          },
        ]
      }),
  }
}

function replayCondition({ isReplayStoreReachable }: MinerAlertParts): Condition {
  return {
    ...{ id: 'replay-store-down', severity: 'critical', forMs: REPLAY_MS },
    look: () => {
      if (isReplayStoreReachable()) return []
      return [
        {
          sentence: 'The replay store does not answer, so every request is refused.',
          next: 'Check the Redis server of --replay.redis-url.',
        },
      ]
    },
  }
}
