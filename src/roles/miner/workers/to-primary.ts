import { z } from 'zod'

/** Number of a question or connection; answers repeat it. */
export const number = z.number().int().nonnegative()

const hotkey = z.string().max(100)
/** Callers choose the names of models; a worker shortens them. */
export const MAX_MODEL_NAME = 1000
const model = z.string().max(MAX_MODEL_NAME)
const end = z.enum(['answered', 'refused', 'failed', 'abandoned'])

/** How an attempt at a model server ended: `AttemptEnd` of routing/. */
const attemptEnd = z.union([
  z.object({ kind: z.literal('done'), status: z.number() }),
  z.object({
    kind: z.literal('retry'),
    cause: z.enum(['status', 'busy', 'connection', 'timeout', 'shortage']),
    status: z.number().optional(),
  }),
  z.object({ kind: z.enum(['broken', 'caller-left']) }),
])

/** `Outcome` of routing/. */
const outcome = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('answered'),
    status: z.number(),
    upstream: z.string(),
    bytes: z.number(),
    firstByteMs: z.number(),
    totalMs: z.number(),
  }),
  z.object({
    kind: z.literal('refused'),
    status: z.union([
      z.literal(400),
      z.literal(404),
      z.literal(429),
      z.literal(502),
      z.literal(503),
      z.literal(504),
    ]),
    reason: z.string(),
  }),
  z.object({ kind: z.literal('broken'), upstream: z.string(), reason: z.string(), bytes: z.number() }),
  z.object({ kind: z.literal('caller-left'), reason: z.string() }),
])

/** What a worker measures of its own process. */
const report = z.object({
  t: z.literal('report'),
  /** Requests being read or verified. */
  pending: z.number(),
  cpuSeconds: z.number(),
  memoryBytes: z.number(),
  /** How long ago each model server last sent something for a caller of this worker. */
  alive: z.array(z.object({ url: z.string(), ageMs: z.number() })),
})

/** Questions about single requests, and what a worker gives back. */
const questions = [
  /** May this verified request be served? Answered by `verdict`, and by `place` if it has to wait. */
  z.object({
    t: z.literal('admit'),
    id: number,
    hotkey,
    hasPermit: z.boolean(),
    uuid: z.string(),
    timestampMs: z.number(),
    /** If it is known: then the verdict may bring a place at a server of this model. */
    model: model.optional(),
  }),
  /** Ends what `admit` asked for: the place is free again, or no longer wanted. */
  z.object({ t: z.literal('release'), id: number }),
  /** At which model server may this request be tried? Answered by `reserved` or `not-reserved`. */
  z.object({ t: z.literal('reserve'), id: number, model, tried: z.array(z.string()).max(16) }),
  /** Ends the attempt at the server that came with the verdict. */
  z.object({ t: z.literal('settled'), id: number, end: attemptEnd }),
  /** Ends what `reserve` asked for. */
  z.object({ t: z.literal('settle'), id: number, end: attemptEnd }),
  /** A connection that was passed on has closed. */
  z.object({ t: z.literal('closed'), id: number }),
] as const

/** Events, which the primary process counts for all workers. */
const events = [
  z.object({ t: z.literal('admitted'), hotkey, uid: z.number() }),
  z.object({
    t: z.literal('refused'),
    code: z.string().max(100),
    caller: z.object({ hotkey, uid: z.number() }).optional(),
  }),
  z.object({ t: z.literal('ended'), route: z.string().max(100), end }),
  z.object({ t: z.literal('outcome'), path: z.enum(['/chat/completions', '/completions']), model, outcome }),
  z.object({
    t: z.literal('traffic'),
    hotkey,
    uid: z.number(),
    model,
    end,
    firstByteMs: z.number().optional(),
  }),
  z.object({ t: z.literal('wanted'), hotkey, names: z.array(z.string().max(200)).max(512) }),
  /** A signature check of this address failed. */
  z.object({ t: z.literal('failed'), address: z.string().max(100) }),
  /** A caller was unknown or below the minimum stake. */
  z.object({ t: z.literal('refresh') }),
  z.object({
    t: z.literal('log'),
    level: z.enum(['debug', 'info', 'warn', 'error']),
    fields: z.looseObject({ event: z.string() }),
    message: z.string(),
  }),
] as const

/** One message of a worker to the primary process. */
export const toPrimary = z.discriminatedUnion('t', [
  ...questions,
  ...events,
  report,
  /** The worker can serve. */
  z.object({ t: z.literal('ready') }),
  /** It has applied the state with this number, or why it could not. */
  z.object({ t: z.literal('applied'), id: number, pending: z.number(), error: z.string().optional() }),
])

export type ToPrimary = z.output<typeof toPrimary>
