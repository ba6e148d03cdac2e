import { z } from 'zod'
import { activeAlert } from '../../alerts/index.js'
import { neuronStanding } from '../standing.js'
import { modelTraffic } from './figures/index.js'

const names = z.array(z.string()).readonly()

/** How a miner is chosen for requests to one model; `RoutedModel` of miners/ describes the fields. */
const routedModel = z.looseObject({
  model: z.string(),
  share: z.number(),
  quality: z.number().nullable(),
  verified: z.number().nullable(),
  tokensPerSecond: z.number().nullable(),
  firstTokenMs: z.number().nullable(),
})

const miner = z.looseObject({
  uid: z.number(),
  hotkey: z.string(),
  coldkey: z.string(),
  url: z.string(),
  models: names,
  /** On chain, from 0 to 1. */
  incentive: z.number(),
  inFlight: z.number(),
  /** closed, open after failures, or half-open. */
  breaker: z.string(),
  answered: z.number(),
  failed: z.number(),
  /** Why it did not list its models; null when it did. */
  silent: z.string().nullable(),
  /** Of the 32 models that most miners serve, those that it serves; at most five seconds old. */
  routing: z.array(routedModel).readonly(),
})

/** What a key has used, in tokens of prompts and answers; never its secret. */
const keySpend = z.looseObject({
  id: z.string(),
  name: z.string(),
  /** On this day of UTC. */
  tokensToday: z.number(),
  /** Limits; null without one. */
  tokensPerDay: z.number().nullable(),
  spentTokens: z.number(),
  budgetTokens: z.number().nullable(),
})

/** GET /status of a hub. */
export const hubStatus = z.looseObject({
  role: z.literal('hub'),
  /** When this process started, ISO 8601 in UTC. */
  startedAt: z.string(),
  netuid: z.number(),
  uid: z.number().nullable(),
  hotkey: z.string(),
  /** What the chain says of its hotkey; null once it is no longer registered. */
  standing: neuronStanding.nullable(),
  /** Address of the API. */
  url: z.string(),
  block: z.number(),
  isDraining: z.boolean(),
  /** The launcher started it, so that releases are started and rolled back. */
  launched: z.boolean().optional(),
  /** Why it cannot serve; null when it can. */
  unavailable: z.string().nullable(),
  inFlight: z.number(),
  models: names,
  /** Since the hub started, by how they ended. */
  requests: z.object({
    answered: z.number(),
    refused: z.number(),
    failed: z.number(),
    left: z.number(),
  }),
  /** Miners asked since then, and those among them that were asked after the first of a request: it had failed, or was slow. */
  asked: z.object({ attempts: z.number(), failovers: z.number(), hedges: z.number() }),
  /** Errors that users were sent, by code. */
  errors: z.record(z.string(), z.number()),
  /** Requests for models that are or were served; the model that was asked for last comes last. */
  traffic: z.array(modelTraffic).readonly(),
  /** What is kept for validators. */
  records: z.object({ rows: z.number(), bytes: z.number(), dropped: z.number() }),
  /** What validators are handed now; null while there is nothing, or nothing is kept. */
  bucket: z.object({ rows: z.number(), drawnAt: z.string(), endsAt: z.string() }).nullable(),
  /** Verdicts that validators reported since the hub started. */
  reports: z
    .array(
      z.looseObject({
        hotkey: z.string(),
        uid: z.number().nullable(),
        /** Of the last one, ISO 8601 in UTC. */
        at: z.string(),
        verified: z.number(),
        failed: z.number(),
      }),
    )
    .readonly(),
  /** The hundred keys that used most today, of all hubs that share the database, read every 15 seconds. */
  keys: z.array(keySpend).readonly(),
  /** All other keys together. */
  otherKeys: z.object({ keys: z.number(), tokensToday: z.number() }),
  miners: z.array(miner).readonly(),
  /** What its operator should look after, the most severe first. */
  alerts: z.array(activeAlert).optional(),
})

export type HubStatus = z.output<typeof hubStatus>
