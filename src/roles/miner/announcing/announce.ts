import type { ServeAxonResult, Subtensor } from '../../../chain/index.js'
import { type Clock, isAbort, type Log, TargonError } from '../../../kernel/index.js'
import type { Signer } from '../../../wallet/index.js'

const FIRST_PAUSE_MS = 15_000
const LONGEST_PAUSE_MS = 10 * 60_000

export interface AnnounceOptions {
  readonly subtensor: Subtensor
  readonly signer: Signer
  readonly axon: { readonly netuid: number; readonly ip: string; readonly port: number }
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}

/**
 * Puts our address on chain. A refusal that trying again cannot mend ends the start; anything else is tried again in the
 * background, for the miner serves meanwhile under the address the chain already knows.
 *
 * @throws TargonError ANNOUNCEMENT_REFUSED (fault chain).
 */
export async function announce(options: AnnounceOptions): Promise<void> {
  if ((await tryOnce(options)) === 'again') void keepTrying(options)
}

async function tryOnce({ subtensor, signer, axon, log, signal }: AnnounceOptions): Promise<'done' | 'again'> {
  let result: ServeAxonResult
  try {
    result = await subtensor.serveAxon(signer, axon, signal)
  } catch (error) {
    if (signal.aborted || isAbort(error)) return 'done'
    log.warn(
      { event: 'axon-announce-failed', ...axon, err: error },
      'could not announce the address on chain',
    )
    return 'again'
  }
  if (result.kind === 'refused') {
    const { refusal } = result
    log.warn({ event: 'axon-announce-failed', ...axon, refusal }, 'could not announce the address on chain')
    if (!['bad-axon', 'not-registered', 'stake'].includes(refusal.class)) return 'again'
    throw new TargonError(`The chain refuses the address ${axon.ip}:${axon.port}: ${refusal.name}.`, {
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
  for (
    let pauseMs = FIRST_PAUSE_MS;
    !options.signal.aborted;
    pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)
  ) {
    try {
      await options.clock.sleep(pauseMs * (0.75 + Math.random() / 2), options.signal)
      if ((await tryOnce(options)) === 'done') return
    } catch (error) {
      if (!options.signal.aborted)
        options.log.error(
          { event: 'axon-announce-failed', err: error },
          'could not announce the address on chain',
        )
      return
    }
  }
}
