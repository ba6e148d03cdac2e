import type { IncomingMessage, ServerResponse } from 'node:http'
import { checkTimestamp, readCaller, readClaim, refuse } from '../../../epistula/index.js'
import type { Clock, FailureBuckets } from '../../../kernel/index.js'
import type { ModelUnavailableReason } from '../../../routing/index.js'
import type { BodyReader } from './body-reader.js'
import type { Entry, Gate } from './gate.js'
import { add, type PlaceClaim, type Release } from './places.js'
import {
  type AdmissionRefusal,
  BODY_REFUSALS,
  lowStake,
  METAGRAPH_EXPIRED,
  TOO_MANY_FAILURES,
  TOO_MANY_REQUESTS,
} from './refusals.js'
import type { Registered } from './registration.js'
import type { SignatureCheck } from './signature-check.js'

/** Requests of one address being read or verified at once: bounds what an unverified caller can occupy. */
const MAX_UNVERIFIED_PER_ADDRESS = 512

/** The same for all addresses together. */
const MAX_UNVERIFIED = 2048

export interface AdmissionOptions {
  /** Our hotkey, the receiver every request must be signed for. */
  readonly self: string
  readonly clock: Clock
  readonly registration: Registered
  /** TAO; undefined admits every registered hotkey. */
  readonly minStakeTao: number | undefined
  readonly windowMs: number
  readonly gate: Gate
  readonly failures: FailureBuckets
  readonly bodies: BodyReader
  readonly signatures: SignatureCheck
  /** Why no request for a model can be served; without it every model is admitted. */
  readonly unavailableReason?: (model: string) => ModelUnavailableReason | undefined
}

/** Counts as in flight until `release` is called. */
export interface AdmittedRequest {
  readonly kind: 'admitted'
  readonly hotkey: string
  readonly uid: number
  readonly body: Buffer
  readonly release: Release
}

export type AdmissionResult =
  | AdmittedRequest
  | {
      readonly kind: 'refused'
      readonly refusal: AdmissionRefusal
      /** The registered neuron whose hotkey the request names; its signature may not be verified. */
      readonly caller?: { readonly hotkey: string; readonly uid: number }
    }
  | {
      readonly kind: 'unavailable'
      readonly reason: ModelUnavailableReason
      readonly hotkey: string
      readonly uid: number
    }
  | { readonly kind: 'caller-left' }

interface Standing {
  readonly kind: 'registered'
  readonly uid: number
  readonly hasPermit: boolean
}

type FreshEntry = Extract<Entry, { kind: 'fresh' }>

type Verification =
  | { readonly kind: 'verified'; readonly body: Buffer; readonly take: FreshEntry['take'] }
  | { readonly kind: 'refused'; readonly refusal: AdmissionRefusal }
  | { readonly kind: 'caller-left' }

/**
 * Decides which requests are served. The checks run from cheap to expensive, in the order and with the answers of 4.4.1
 * (neurons/miner.py): version, receiver, signer, stake, limits, a server for the model, size, timestamp, signature, replay.
 */
export class Admission {
  readonly #options: AdmissionOptions
  readonly #unverifiedByAddress = new Map<string, number>()
  #unverified = 0

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  /** Requests admitted and not yet released. */
  get inFlight(): number {
    return this.#options.gate.inFlight
  }

  /** Requests being read or verified, or waiting for a place; each may still be admitted. */
  get pending(): number {
    return this.#unverified + this.#options.gate.waiting
  }

  inFlightOf(hotkey: string): number {
    return this.#options.gate.inFlightOf(hotkey)
  }

  /**
   * @param model from the request's headers, if any: when no server has it, the body is not read.
   * @param response ends the wait for a place when the caller disconnects.
   */
  async admit(
    request: IncomingMessage,
    address: string,
    model?: string,
    response?: ServerResponse,
  ): Promise<AdmissionResult> {
    const caller = readCaller(request.headersDistinct, this.#options.self)
    if (!caller.ok) return { kind: 'refused', refusal: caller }
    const hotkey = caller.signedBy
    const standing = this.#checkRegistration(hotkey)
    if (standing.kind === 'refused') return standing
    const { uid, hasPermit } = standing
    const claim: PlaceClaim = { hotkey, hasPermit, ...(model === undefined ? {} : { model }) }
    const refused = (refusal: AdmissionRefusal) =>
      ({ kind: 'refused', refusal, caller: { hotkey, uid } }) as const
    const overLimit = this.#checkLimits(claim, address)
    if (overLimit !== undefined) return refused(overLimit)
    const reason = model === undefined ? undefined : this.#options.unavailableReason?.(model)
    if (reason !== undefined) return { kind: 'unavailable', reason, hotkey, uid }
    const verification = await this.#verifyCounted(request, address, claim)
    if (verification.kind === 'caller-left') return verification
    if (verification.kind === 'refused') return refused(verification.refusal)
    const release = await verification.take(response)
    if (release === 'left') return { kind: 'caller-left' }
    if (typeof release !== 'function') return refused(release)
    return { kind: 'admitted', hotkey, uid, body: verification.body, release }
  }

  async #verifyCounted(request: IncomingMessage, address: string, place: PlaceClaim): Promise<Verification> {
    this.#unverified++
    add(this.#unverifiedByAddress, address, 1)
    try {
      return await this.#verify(request, address, place)
    } finally {
      this.#unverified--
      add(this.#unverifiedByAddress, address, -1)
    }
  }

  async #verify(request: IncomingMessage, address: string, place: PlaceClaim): Promise<Verification> {
    const { bodies, clock, windowMs, signatures, failures, gate } = this.#options
    const end = await bodies.read(request, address)
    if (end.kind === 'caller-left') return { kind: 'caller-left' }
    if (end.kind !== 'read') return { kind: 'refused', refusal: BODY_REFUSALS[end.kind] }
    try {
      const claim = readClaim(request.headersDistinct)
      if (!claim.ok) return { kind: 'refused', refusal: claim }
      const refusal =
        checkTimestamp(claim.timestampMs, clock.now(), windowMs) ?? (await signatures.check(claim, end.hash))
      if (refusal !== undefined) {
        if (refusal.code === 'SIGNATURE_MISMATCH') failures.fail(address)
        return { kind: 'refused', refusal }
      }
      const entry = await gate.enter(claim, place)
      return entry.kind === 'fresh' ? { kind: 'verified', body: end.body, take: entry.take } : entry
    } finally {
      bodies.release(end.body.length, address)
    }
  }

  #checkRegistration(hotkey: string): Standing | Extract<AdmissionResult, { kind: 'refused' }> {
    const { self, registration, minStakeTao } = this.#options
    if (registration.isExpired()) return { kind: 'refused', refusal: METAGRAPH_EXPIRED }
    const neuron = registration.find(hotkey)
    if (neuron === undefined) {
      registration.refreshSoon()
      return { kind: 'refused', refusal: refuse('UNKNOWN_SIGNER') }
    }
    const { uid, stakeTao, validatorPermit } = neuron
    // Only the operator can sign with the miner's own hotkey, as `targon query --self` does; 4.4.1 refuses it for its stake.
    if (minStakeTao !== undefined && stakeTao < minStakeTao && hotkey !== self) {
      registration.refreshSoon()
      return { kind: 'refused', refusal: lowStake(stakeTao), caller: { hotkey, uid } }
    }
    return { kind: 'registered', uid, hasPermit: validatorPermit }
  }

  #checkLimits(claim: PlaceClaim, address: string): AdmissionRefusal | undefined {
    const { failures, bodies } = this.#options
    if (failures.isExhausted(address)) return TOO_MANY_FAILURES
    if ((this.#unverifiedByAddress.get(address) ?? 0) >= MAX_UNVERIFIED_PER_ADDRESS) return TOO_MANY_REQUESTS
    // Bodies that arrive too slowly make room for one more request.
    if (this.#unverified >= MAX_UNVERIFIED && !bodies.makeRoom()) return TOO_MANY_REQUESTS
    return this.#options.gate.hasRoom(claim) ? undefined : TOO_MANY_REQUESTS
  }
}
