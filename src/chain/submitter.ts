import { type Clock, messageOf, TargonError } from '../kernel/index.js'
import type { Call } from './call.js'
import { type SigningChoice, type Submission, signCall, submitExtrinsic } from './extrinsic.js'
import { type Link, openLink } from './link.js'
import { refusal } from './refusal.js'
import type { ChainLog } from './session.js'
import type { ChainSigner } from './types.js'

export interface SubmitterOptions {
  /** Endpoints, the preferred one first. */
  readonly endpoints: () => readonly string[]
  readonly genesisHash: string
  readonly rpcTimeoutMs: number
  /** How long an extrinsic may take into a block. */
  readonly inclusionTimeoutMs: number
  readonly clock: Clock
  readonly log: ChainLog
}

/**
 * Sends extrinsics, one at a time for each key, each on a fresh connection: never a socket gone stale since the last
 * epoch, always the runtime of now, and the reading connection is not disturbed.
 */
export interface Submitter {
  /**
   * @param choose picks the call for the runtime of the connection.
   * @param onSigned is awaited between signing and sending (write-ahead).
   * @throws TargonError CHAIN_UNREACHABLE when no endpoint can be used; CHAIN_CALL_GONE.
   */
  submit(
    signer: ChainSigner,
    choose: (link: Link) => Call | Promise<Call>,
    options?: SubmitOptions,
  ): Promise<Submission>
}

export interface SubmitOptions extends SigningChoice {
  readonly onSigned?: (hash: string, nonce: number) => Promise<void>
}

/** A stale nonce or runtime is signed anew once; a second time it is the chain's last word. */
const ATTEMPTS = 2

export function createSubmitter(options: SubmitterOptions): Submitter {
  const { clock, log } = options
  const queues = new Map<string, Promise<unknown>>()

  async function openAny(signal: AbortSignal | undefined): Promise<Link> {
    const reasons: string[] = []
    for (const endpoint of options.endpoints()) {
      try {
        return await openLink(endpoint, { ...options, signal })
      } catch (error) {
        if (signal?.aborted) throw error
        reasons.push(messageOf(error))
      }
    }
    throw new TargonError(`No chain endpoint takes extrinsics: ${reasons.join(' ')}`, {
      code: 'CHAIN_UNREACHABLE',
      fault: 'unreachable',
      next: 'Check --subtensor.chain_endpoint and the network.',
      facts: { reasons },
    })
  }

  const submit: Submitter['submit'] = async (signer, choose, { onSigned, ...choice } = {}) => {
    const { signal } = choice
    for (let attempt = 1; ; attempt++) {
      const link = await openAny(signal)
      try {
        const signed = await signCall(link, signer, await choose(link), choice)
        if (!signed) return { kind: 'refused', refusal: refusal('window-closing', 'WindowClosing') }
        await onSigned?.(signed.hash, signed.nonce)
        const outcome = await submitExtrinsic(link, signed, clock, options.inclusionTimeoutMs, signal)
        const again = outcome.kind === 'refused' && outcome.refusal.class === 'stale' && attempt < ATTEMPTS
        if (!again) return outcome
        log.warn(
          { event: 'extrinsic-resigned', refusal: outcome.refusal.name },
          'the chain refused the extrinsic; signing it again',
        )
      } finally {
        link.rpc.close()
      }
    }
  }

  return {
    async submit(signer, choose, submitOptions) {
      const before = queues.get(signer.address) ?? Promise.resolve()
      const turn = () => submit(signer, choose, submitOptions)
      const mine = before.then(turn, turn)
      queues.set(signer.address, mine)
      // Rejections reach the caller below, or nobody when it gave up waiting for its turn.
      mine.catch(() => {})
      await settledOrAborted(before, submitOptions?.signal)
      return mine
    },
  }
}

/** @throws the signal's reason as soon as it aborts. */
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
