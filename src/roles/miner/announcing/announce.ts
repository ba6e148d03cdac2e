import type { ServeAxonResult, Subtensor } from '../../../chain/index.js'
import { type Clock, isAbort, type Log, TargonError } from '../../../kernel/index.js'
import type { Signer } from '../../../wallet/index.js'

const FIRST_PAUSE_MS = 15_000
const LONGEST_PAUSE_MS = 10 * 60_000

/** Refusals that a retry cannot change. */
const FINAL_REFUSALS = ['bad-axon', 'not-registered', 'stake']

export interface AnnounceOptions {
  readonly subtensor: Subtensor
  readonly signer: Signer
  readonly axon: { readonly netuid: number; readonly ip: string; readonly port: number }
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}

/**
 * Announces our address on chain. After any failure but a final refusal it retries in the background, since meanwhile the
 * miner can serve under the address that the chain already has.
 *
 * @throws TargonError ANNOUNCEMENT_REFUSED (fault chain).
 */
export async function announce(options: AnnounceOptions): Promise<void> {
  if ((await tryOnce(options)) === 'retry') void keepTrying(options)
}

async function tryOnce({ subtensor, signer, axon, log, signal }: AnnounceOptions): Promise<'done' | 'retry'> {
  let result: ServeAxonResult
  try {
    result = await subtensor.serveAxon(signer, axon, signal)
  } catch (error) {
    if (signal.aborted || isAbort(error)) return 'done'
    log.warn(
      { event: 'axon-announce-failed', ...axon, err: error },
      'could not announce the address on chain',
    )
    return 'retry'
  }
  if (result.kind === 'refused') {
    const { refusal } = result
    log.warn({ event: 'axon-announce-failed', ...axon, refusal }, 'could not announce the address on chain')
    if (!FINAL_REFUSALS.includes(refusal.class)) return 'retry'
    throw new TargonError(`The chain refused the address ${axon.ip}:${axon.port}: ${refusal.name}.`, {
      code: 'ANNOUNCEMENT_REFUSED',
      fault: 'chain',
      next: 'Give a public address with --axon.external_ip and --axon.external_port.',
      facts: { ...axon, refusal },
    })
  }
  log.info(
    { event: 'axon-announced', ip: axon.ip, port: axon.port, result: result.kind },
    'announced the address on chain',
  )
  return 'done'
}

async function keepTrying(options: AnnounceOptions): Promise<void> {
  const { clock, log, signal } = options
  for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
    try {
      await clock.sleep(pauseMs * (0.75 + Math.random() / 2), signal)
      if ((await tryOnce(options)) === 'done') return
    } catch (error) {
      if (!signal.aborted)
        log.error({ event: 'axon-announce-failed', err: error }, 'could not announce the address on chain')
      return
    }
  }
}
