import { z } from 'zod'
import type { MinerSettings } from '../../../config/index.js'
import { upstreamState } from '../../../routing/index.js'
import { number } from './to-primary.js'

const seconds = z.number()

const policyNames = z.array(z.string()).optional()

/** The setting `request-policy`. */
const policy = z.union([
  z.enum(['default', 'off']),
  z.object({
    allow: policyNames,
    deny: policyNames,
    ceilings: z.record(z.string(), z.number()).optional(),
    content: policyNames,
  }),
])

/** The settings that a worker needs. The keys of the model servers come with their state. */
const settings = z.object({
  'axon.trusted-proxies': z.array(z.string()),
  'no-force-validator-permit': z.boolean(),
  'min-stake': z.number(),
  'timestamp-window': z.number(),
  'max-body-bytes': z.number(),
  'max-failed-checks': z.number(),
  'request-policy': policy,
  'header-timeout': seconds,
  'body-timeout': seconds,
  'routing.first-byte-timeout': seconds,
  'routing.gap-timeout': seconds,
  'routing.total-timeout': seconds,
  'routing.reader-timeout': seconds,
  'routing.queue-length': z.number(),
  'routing.queue-timeout': seconds,
  'routing.refresh': seconds,
  workers: z.union([z.literal('auto'), z.number()]),
  'signature-workers': z
    .number()
    .optional()
    .transform((threads) => threads),
})

export type WorkerSettings = z.output<typeof settings>

/** Selects the settings that a worker needs: others contain passwords and keys. */
export function workerSettings(all: MinerSettings): WorkerSettings {
  return settings.parse(all)
}

/** What changes while a worker runs; a part that has not changed is left out. */
const state = z.object({
  neurons: z
    .array(
      z.object({
        uid: z.number(),
        hotkey: z.string(),
        stakeTao: z.number(),
        validatorPermit: z.boolean(),
      }),
    )
    .optional(),
  isExpired: z.boolean().optional(),
  isDraining: z.boolean().optional(),
  upstreams: z.array(upstreamState).optional(),
  policy: policy.optional(),
})

export type WorkerState = z.output<typeof state>

/** One message of the primary process to a worker. */
export const toWorker = z.discriminatedUnion('t', [
  /** The first message. */
  z.object({
    t: z.literal('start'),
    /** Hotkey of the miner, the receiver of every request; never its key. */
    self: z.string(),
    isDebug: z.boolean(),
    settings,
    state,
  }),
  z.object({ t: z.literal('state'), id: number, state }),
  z.object({
    t: z.literal('verdict'),
    id: number,
    verdict: z.enum(['granted', 'waiting', 'full', 'REPLAYED', 'BEFORE_START', 'REPLAY_GUARD_FULL']),
    /** With `granted`: a place at this model server, until `settled` or `release`. */
    url: z.string().optional(),
  }),
  /** Ends the wait of a request whose verdict was `waiting`. */
  z.object({ t: z.literal('place'), id: number, isGranted: z.boolean() }),
  /** A place at this model server, or why there is none. */
  z.object({ t: z.literal('reserved'), id: number, url: z.string() }),
  z.object({
    t: z.literal('not-reserved'),
    id: number,
    reason: z.enum(['none', 'full', 'queue-timeout', 'caller-left', 'silent']),
  }),
  /** Whether requests of this caller would get a place now. */
  z.object({ t: z.literal('room'), hotkey: z.string(), hasRoom: z.boolean() }),
  /** Another worker saw a signature check of this address fail. */
  z.object({ t: z.literal('failed'), address: z.string() }),
  /** Cut requests in flight and exit. */
  z.object({ t: z.literal('stop') }),
])

export type ToWorker = z.output<typeof toWorker>

/** The message with which a connection is passed; Node sends the connection's handle with it. */
export const passedConnection = z.object({ connection: number })
