import { z } from 'zod'
import { activeAlert } from '../../alerts/index.js'
import { neuronStanding } from '../standing.js'

const names = z.array(z.string()).readonly()

/** A count by refusal code. */
const refusals = z.record(z.string(), z.number())

/** What the operator sees of one model server; `UpstreamReport` of routing/ describes the fields. */
const upstream = z.looseObject({
  url: z.string(),
  health: z.string(),
  reason: z.string().nullable(),
  breaker: z.string(),
  models: names,
  inFlight: z.number(),
  maxInFlight: z.number(),
  running: z.number().nullable(),
  waiting: z.number().nullable(),
  tokensPerSecond: z.number().nullable(),
  requests: z.number(),
  failures: z.number(),
})

/** The document of `GET /status` of a miner. Optional members are absent in the status of earlier releases. */
export const minerStatus = z.looseObject({
  role: z.literal('miner'),
  /** When this process started, ISO 8601 in UTC. */
  startedAt: z.string().optional(),
  netuid: z.number().optional(),
  uid: z.number().nullable(),
  hotkey: z.string(),
  address: z.string(),
  port: z.number(),
  block: z.number(),
  isDraining: z.boolean(),
  /** The launcher started it, so that releases are started and rolled back. */
  launched: z.boolean().optional(),
  /** Why it cannot serve now, as /readyz reports; null when it can. */
  unavailable: z.string().nullable().optional(),
  /** What the chain says of its hotkey; null once it is no longer registered. */
  standing: neuronStanding.nullable().optional(),
  inFlight: z.number(),
  /** What GET /models answers now. */
  models: names,
  upstreams: z.array(upstream).readonly(),
  /** Since the miner started, by outcome; `requests` is their sum. */
  requests: z.object({
    requests: z.number(),
    answered: z.number(),
    refused: z.number(),
    failed: z.number(),
    abandoned: z.number(),
  }),
  /** Refusals of the miner itself, by code. */
  refusals: refusals.optional(),
  /** Registered hotkeys that sent requests, or in whose name requests were refused. */
  callers: z
    .array(
      z.looseObject({
        hotkey: z.string(),
        uid: z.number(),
        requests: z.number(),
        inFlight: z.number(),
        /** When the last request with its signature came, ISO 8601 in UTC; null before the first. */
        lastAt: z.string().nullable().optional(),
        refusals: refusals.optional(),
      }),
    )
    .readonly(),
  /** Inference requests by caller and model, as far as a model server was chosen for them. */
  traffic: z
    .array(
      z.object({
        id: z.string(),
        hotkey: z.string(),
        uid: z.number(),
        model: z.string(),
        answered: z.number(),
        refused: z.number(),
        failed: z.number(),
        abandoned: z.number(),
        /** Of the last answers: from the request to the model server to its first byte. */
        firstByteMs: z.object({ p50: z.number(), p95: z.number() }).nullable(),
      }),
    )
    .readonly()
    .optional(),
  /** Models requested by validators. */
  wanted: z.array(z.object({ hotkey: z.string(), models: names })).readonly(),
  /** The processes that answer callers; absent when the miner answers them itself. The fields are those of `WorkerReport`. */
  workers: z
    .array(
      z.looseObject({
        id: z.number(),
        pid: z.number().nullable(),
        state: z.string(),
        restarts: z.number(),
        connections: z.number(),
        inFlight: z.number(),
        requests: z.number(),
        cpuSeconds: z.number(),
        memoryBytes: z.number(),
      }),
    )
    .optional(),
  /** What its operator should look after, the most severe first. */
  alerts: z.array(activeAlert).optional(),
})

export type MinerStatus = z.output<typeof minerStatus>
