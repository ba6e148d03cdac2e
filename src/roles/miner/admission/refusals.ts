import type { BodyEnd } from './body-reader.js'

/** A refusal by the miner itself: the code labels the metric; status and detail are what the caller gets. */
export interface AdmissionRefusal {
  readonly code: string
  readonly status: number
  readonly detail: string
  readonly retryAfterSeconds?: number
  /** The member of the body that is at fault. */
  readonly param?: string
}

export const METAGRAPH_EXPIRED: AdmissionRefusal = {
  code: 'STANDING_EXPIRED',
  status: 503,
  detail: 'Metagraph is too old to tell who may call',
  retryAfterSeconds: 60,
}

export function lowStake(stakeTao: number): AdmissionRefusal {
  return { code: 'LOW_STAKE', status: 401, detail: `Stake below minimum: ${stakeTao}` }
}

export const TOO_MANY_REQUESTS: AdmissionRefusal = {
  code: 'TOO_MANY_REQUESTS',
  status: 429,
  detail: 'Too many requests in flight',
  retryAfterSeconds: 1,
}

/** With several workers: the primary process did not answer this one in time. */
export const NO_DECISION: AdmissionRefusal = {
  code: 'NO_DECISION',
  status: 503,
  detail: 'The miner could not decide on the request in time',
  retryAfterSeconds: 1,
}

export const TOO_MANY_FAILURES: AdmissionRefusal = {
  code: 'TOO_MANY_FAILURES',
  status: 429,
  detail: 'Too many failed signature checks',
  retryAfterSeconds: 1,
}

export const TOO_MANY_BYTES: AdmissionRefusal = {
  code: 'TOO_MANY_BYTES',
  status: 429,
  detail: 'Too many bodies at once',
  retryAfterSeconds: 1,
}

export const BODY_REFUSALS: Readonly<
  Record<Exclude<BodyEnd['kind'], 'read' | 'caller-left'>, AdmissionRefusal>
> = {
  'too-large': { code: 'BODY_TOO_LARGE', status: 413, detail: 'Body is too large' },
  'too-slow': { code: 'BODY_TOO_SLOW', status: 408, detail: 'Body took too long' },
  overload: TOO_MANY_BYTES,
}

/** What Node's HTTP parser does not accept. */
export const UNREADABLE_REQUEST: AdmissionRefusal = {
  code: 'UNREADABLE_REQUEST',
  status: 400,
  detail: 'Request is not valid HTTP/1.1',
}

export const HEADERS_TOO_LARGE: AdmissionRefusal = {
  code: 'HEADERS_TOO_LARGE',
  status: 431,
  detail: 'Headers are too large',
}

export const HEADERS_TOO_SLOW: AdmissionRefusal = {
  code: 'HEADERS_TOO_SLOW',
  status: 408,
  detail: 'Request took too long',
}

export const UNCLEAR_REQUEST: AdmissionRefusal = {
  code: 'UNCLEAR_REQUEST',
  status: 400,
  detail: 'Request can be read in more than one way',
}

export const NOT_FOUND: AdmissionRefusal = { code: 'NOT_FOUND', status: 404, detail: 'Not Found' }

export const DRAINING: AdmissionRefusal = {
  code: 'DRAINING',
  status: 503,
  detail: 'The miner is shutting down',
  retryAfterSeconds: 10,
}

export const BAD_MODEL_LIST: AdmissionRefusal = {
  code: 'BAD_MODEL_LIST',
  status: 400,
  detail: 'Body is not a list of models',
}

export const BAD_REQUEST_BODY: AdmissionRefusal = {
  code: 'BAD_REQUEST_BODY',
  status: 400,
  detail: 'Body is not a JSON object with a model',
}

export const BODY_TOO_COMPLEX: AdmissionRefusal = {
  code: 'BODY_TOO_COMPLEX',
  status: 400,
  detail: 'Body nests deeper than 32 levels or holds more than 262144 values',
}

/** @param message names the member, as text that the caller wrote. */
export function violates({ member, message }: { member: string; message: string }): AdmissionRefusal {
  return { code: 'REQUEST_POLICY', status: 400, detail: message, param: member.slice(0, 64) }
}

export const MODEL_MISSING: AdmissionRefusal = {
  code: 'MODEL_MISSING',
  status: 400,
  detail: 'Body names no model, and this miner serves several',
  param: 'model',
}

export const MODEL_MISMATCH: AdmissionRefusal = {
  code: 'MODEL_MISMATCH',
  status: 400,
  detail: 'X-Targon-Model differs from the model of the body',
}

export const INTERNAL_ERROR: AdmissionRefusal = { code: 'INTERNAL', status: 500, detail: 'Internal error' }
