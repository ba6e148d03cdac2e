import { messageOf, TargonError } from '../kernel/index.js'
import type { Call } from './call.js'
import type { ChainContext } from './context.js'
import { type Submission, submitExtrinsic } from './inclusion.js'
import { type Link, openLink } from './link.js'
import { refusal } from './refusal.js'
import type { Session } from './session.js'
import { type SigningOptions, signCall } from './signed-extrinsic.js'
import type { ChainSigner } from './types.js'

export interface SubmitOptions extends SigningOptions {
  /** Awaited between signing and sending, for a write-ahead record. */
  readonly onSigned?: (hash: string, nonce: number) => Promise<void>
}

/** A stale nonce or runtime is signed again once; the second refusal is final. */
const ATTEMPTS = 2

/**
 * Submits extrinsics, one at a time per key, each on a new connection: it is never stale, always sees the current runtime,
 * and does not disturb the reads of the session.
 */
export class Submitter {
  readonly #context: ChainContext
  readonly #session: Pick<Session, 'link'>
  readonly #queues = new Map<string, Promise<unknown>>()

  /** @param context its genesis hash is the one the session found. */
  constructor(context: ChainContext, session: Pick<Session, 'link'>) {
    this.#context = context
    this.#session = session
  }

  /**
   * @param choose picks the call for the runtime of the connection.
   * @throws TargonError CHAIN_UNREACHABLE when no endpoint is usable; CHAIN_CALL_GONE.
   */
  async submit(
    signer: ChainSigner,
    choose: (link: Link) => Call | Promise<Call>,
    options: SubmitOptions = {},
  ): Promise<Submission> {
    const before = this.#queues.get(signer.address) ?? Promise.resolve()
    const turn = () => this.#submitNow(signer, choose, options)
    const mine = before.then(turn, turn)
    this.#queues.set(signer.address, mine)
    // The caller below gets the rejection, unless it was aborted while waiting for its turn.
    mine.catch(() => {})
    await settledOrAborted(before, options.signal)
    return mine
  }

  async #submitNow(
    signer: ChainSigner,
    choose: (link: Link) => Call | Promise<Call>,
    { onSigned, ...options }: SubmitOptions,
  ): Promise<Submission> {
    const { clock, log, inclusionTimeoutMs } = this.#context
    const { signal } = options
    for (let attempt = 1; ; attempt++) {
      const link = await this.#openAny(signal)
      try {
        const signed = await signCall(link, signer, await choose(link), options)
        if (!signed) return { kind: 'refused', refusal: refusal('window-closing', 'WindowClosing') }
        await onSigned?.(signed.hash, signed.nonce)
        const outcome = await submitExtrinsic(link, signed, clock, inclusionTimeoutMs, signal)
        const isStale = outcome.kind === 'refused' && outcome.refusal.class === 'stale'
        if (!isStale || attempt === ATTEMPTS) return outcome
        log.warn(
          { event: 'extrinsic-resigned', refusal: outcome.refusal.name },
          'the chain refused the extrinsic; signing it again',
        )
      } finally {
        link.rpc.close()
      }
    }
  }

  /** A link on the endpoint of the session, or else on the first other one that works. */
  async #openAny(signal: AbortSignal | undefined): Promise<Link> {
    const { endpoints } = this.#context
    const current = this.#session.link.rpc.endpoint
    const reasons: string[] = []
    for (const endpoint of [current, ...endpoints.filter((other) => other !== current)]) {
      try {
        return await openLink(endpoint, { ...this.#context, signal })
      } catch (error) {
        if (signal?.aborted) throw error
        reasons.push(messageOf(error))
      }
    }
    throw new TargonError(`No chain endpoint accepts extrinsics: ${reasons.join(' ')}`, {
      code: 'CHAIN_UNREACHABLE',
      fault: 'unreachable',
      next: 'Check --subtensor.chain_endpoint and the network connection.',
      facts: { reasons },
    })
  }
}

/** @throws the abort reason of the signal as soon as it aborts. */
async function settledOrAborted(work: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  const settled = new AbortController()
  const aborted = new Promise<never>((_, reject) => {
    const onAbort = () => reject(signal?.reason)
    if (signal?.aborted) onAbort()
    else signal?.addEventListener('abort', onAbort, { once: true, signal: settled.signal })
  })
  try {
    await Promise.race([Promise.allSettled([work]), aborted])
  } finally {
    settled.abort()
  }
}
