import type { IncomingMessage } from 'node:http'
import { checkTimestamp, type ReplayGuard, readCaller, readClaim, refuse } from '../../../epistula/index.js'
import type { Clock } from '../../../kernel/index.js'
import type { ModelUnavailableReason } from '../../../routing/index.js'
import type { BodyEnd, BodyReader } from './body-reader.js'
import type { FailureBuckets } from './failure-buckets.js'
import type { AdmissionRefusal } from './refusal.js'
import type { RegistrationWatch } from './registration.js'
import type { SignatureCheck } from './signature-check.js'

/** Requests of one address being read or checked at once: a stranger can hold no more of us than this. */
const MAX_UNPROVED_PER_ADDRESS = 512

/** The same for all addresses together. */
const MAX_UNPROVED = 2048

export interface AdmissionOptions {
  readonly self: string
  readonly clock: Clock
  readonly standing: RegistrationWatch
  /** TAO; undefined lets every registered hotkey in. */
  readonly minStakeTao: number | undefined
  readonly windowMs: number
  readonly maxInFlight: number
  readonly maxInFlightPerSigner: number
  readonly failures: FailureBuckets
  readonly bodies: BodyReader
  readonly signatures: SignatureCheck
  readonly replays: ReplayGuard
  /** What is lacking to answer for a model at all; without it every model is let in. */
  readonly lackOf?: (model: string) => ModelUnavailableReason | undefined
}

/** A caller that was let in. `leave` must be called when its request has ended. */
export interface AdmittedRequest {
  readonly kind: 'admitted'
  readonly hotkey: string
  readonly uid: number
  readonly body: Buffer
  leave(): void
}

export type AdmissionResult =
  | AdmittedRequest
  | { readonly kind: 'refused'; readonly refusal: AdmissionRefusal; readonly hotkey?: string }
  | {
      readonly kind: 'unserved'
      readonly lack: ModelUnavailableReason
      readonly hotkey: string
      readonly uid: number
    }
  | { readonly kind: 'gone' }

/** What a request is worth once its body is in. */
type Proof =
  | { readonly kind: 'proved'; readonly body: Buffer }
  | { readonly kind: 'refused'; readonly refusal: AdmissionRefusal }
  | { readonly kind: 'gone' }

export interface Admission {
  /** @param model the model announced before the body, if any: without a server of it the body is not read. */
  enter(request: IncomingMessage, address: string, model?: string): Promise<AdmissionResult>
  /** Requests inside now. */
  readonly inFlight: number
  /** Requests being read or checked now; each may still come in. */
  readonly unproved: number
  inFlightOf(hotkey: string): number
}

/**
 * Who may come in, cheapest test first, in the order and with the answers of 4.4.1 (neurons/miner.py): version, receiver,
 * signer, stake, caps, a server of the model, size, then the signature with its timestamp, and last whether it was here before.
 */
export function createAdmission(options: AdmissionOptions): Admission {
  const { self, clock, standing, failures, bodies, signatures, replays } = options
  const inside = new Map<string, number>()
  const unproved = new Map<string, number>()
  let allUnproved = 0
  let inFlight = 0

  const admit = async (
    request: IncomingMessage,
    address: string,
    model?: string,
  ): Promise<AdmissionResult> => {
    const headers = request.headersDistinct
    const caller = readCaller(headers, self)
    if (!caller.ok) return { kind: 'refused', refusal: caller }
    const known = checkStanding(caller.signedBy)
    if ('status' in known) return { kind: 'refused', refusal: known }
    const hotkey = caller.signedBy
    const cap = checkCaps(hotkey, address)
    if (cap !== undefined) return { kind: 'refused', refusal: cap, hotkey }
    const lack = model === undefined ? undefined : options.lackOf?.(model)
    if (lack !== undefined) return { kind: 'unserved', lack, hotkey, uid: known.uid }
    const proof = await proveCounted(request, address)
    if (proof.kind === 'gone') return proof
    if (proof.kind === 'refused') return { ...proof, hotkey }
    // Others of the same caller may have been let in while this body was read.
    const late = checkPlaces(hotkey)
    if (late !== undefined) return { kind: 'refused', refusal: late, hotkey }
    return { kind: 'admitted', hotkey, uid: known.uid, body: proof.body, leave: take(hotkey) }
  }

  const proveCounted = async (request: IncomingMessage, address: string): Promise<Proof> => {
    allUnproved++
    add(unproved, address, 1)
    try {
      return await prove(request, address)
    } finally {
      allUnproved--
      add(unproved, address, -1)
    }
  }

  const prove = async (request: IncomingMessage, address: string): Promise<Proof> => {
    const end = await bodies.read(request, address)
    if (end.kind === 'gone') return { kind: 'gone' }
    if (end.kind !== 'read') return { kind: 'refused', refusal: BODY_REFUSALS[end.kind] }
    try {
      const claim = readClaim(request.headersDistinct)
      if (!claim.ok) return { kind: 'refused', refusal: claim }
      const unfit =
        checkTimestamp(claim.timestampMs, clock.now(), options.windowMs) ??
        (await signatures.check(claim, end.hash))
      if (unfit !== undefined) {
        if (unfit.code === 'SIGNATURE_MISMATCH') failures.fail(address)
        return { kind: 'refused', refusal: unfit }
      }
      const replay = await replays.admit(claim)
      if (replay !== 'fresh') return { kind: 'refused', refusal: refuse(replay) }
      return { kind: 'proved', body: end.body }
    } finally {
      bodies.release(end.body.length, address)
    }
  }

  const checkStanding = (hotkey: string): AdmissionRefusal | { readonly uid: number } => {
    if (standing.isExpired()) return EXPIRED
    const neuron = standing.find(hotkey)
    if (neuron === undefined) {
      standing.refreshSoon()
      return refuse('UNKNOWN_SIGNER')
    }
    const { uid, stakeTao } = neuron
    if (options.minStakeTao !== undefined && stakeTao < options.minStakeTao) {
      standing.refreshSoon()
      return { code: 'LOW_STAKE', status: 401, detail: `Stake below minimum: ${stakeTao}` }
    }
    return { uid }
  }

  const checkCaps = (hotkey: string, address: string): AdmissionRefusal | undefined => {
    if (failures.isExhausted(address)) return TOO_MANY_FAILURES
    if ((unproved.get(address) ?? 0) >= MAX_UNPROVED_PER_ADDRESS) return TOO_MANY
    // those whose bodies do not come make room for one more
    if (allUnproved >= MAX_UNPROVED && !bodies.makeRoom()) return TOO_MANY
    return checkPlaces(hotkey)
  }

  const checkPlaces = (hotkey: string): AdmissionRefusal | undefined =>
    inFlight >= options.maxInFlight || (inside.get(hotkey) ?? 0) >= options.maxInFlightPerSigner
      ? TOO_MANY
      : undefined

  const take = (hotkey: string) => {
    let isInside = true
    inFlight++
    add(inside, hotkey, 1)
    return () => {
      if (!isInside) return
      isInside = false
      inFlight--
      add(inside, hotkey, -1)
    }
  }

  return {
    enter: admit,
    get inFlight() {
      return inFlight
    },
    get unproved() {
      return allUnproved
    },
    inFlightOf: (hotkey) => inside.get(hotkey) ?? 0,
  }
}

function add(counts: Map<string, number>, key: string, step: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + step
  if (count === 0) counts.delete(key)
  else counts.set(key, count)
}

const EXPIRED: AdmissionRefusal = {
  code: 'STANDING_EXPIRED',
  status: 503,
  detail: 'Metagraph is too old to tell who may call',
  retryAfterSeconds: 60,
}
const TOO_MANY: AdmissionRefusal = {
  code: 'TOO_MANY_REQUESTS',
  status: 429,
  detail: 'Too many requests in flight',
  retryAfterSeconds: 1,
}
const TOO_MANY_FAILURES: AdmissionRefusal = {
  code: 'TOO_MANY_FAILURES',
  status: 429,
  detail: 'Too many failed signature checks',
  retryAfterSeconds: 1,
}
const BODY_REFUSALS: Readonly<Record<Exclude<BodyEnd['kind'], 'read' | 'gone'>, AdmissionRefusal>> = {
  'too-large': { code: 'BODY_TOO_LARGE', status: 413, detail: 'Body is too large' },
  'too-slow': { code: 'BODY_TOO_SLOW', status: 408, detail: 'Body took too long' },
  overload: { code: 'TOO_MANY_BYTES', status: 429, detail: 'Too many bodies at once', retryAfterSeconds: 1 },
}
