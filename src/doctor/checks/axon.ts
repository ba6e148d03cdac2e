import { type Axon, FINNEY_GENESIS } from '../../chain/index.js'
import { isSpecialAddress } from '../../kernel/index.js'
import type { Check, MinerContext, ValidatorContext } from '../context.js'
import { factsOf } from '../facts.js'
import { fail, ok, skip, warn } from '../finding.js'
import { readSelf } from './registration.js'

/** Compares the address on chain with the one that the settings announce. */
export const minerAxonCheck: Check<MinerContext> = {
  id: 'axon',
  title: 'finding out the public address',
  run: async (context, signal) => {
    const { settings } = context
    const [self, report] = [await readSelf(context), await factsOf(context).endpoint()]
    if (!self || !report) return [skip('Not checked, because the hotkey was not found: see registration.')]
    const onChain = self.axon && shown(self.axon)
    if (!settings['axon.announce'])
      return onChain
        ? [ok(`Another replica announced ${onChain}; this one announces nothing.`)]
        : [fail('No address is announced on chain.', 'Run one replica without --no-axon.announce.')]
    const address = await addressToAnnounce(context, signal)
    if (!address) return [ok('The port to announce is found when the miner starts.')]
    const { ip } = address
    if (isSpecialAddress(ip) && report.genesisHash === FINNEY_GENESIS)
      return [
        fail(
          `The address to announce, ${ip}, is private or reserved: validators do not query it.`,
          'Give a public address with --axon.external_ip.',
        ),
      ]
    const configured = shown(address)
    if (onChain === configured) return [ok(`The chain has the configured address ${configured}.`)]
    const saw = onChain
      ? `The chain has the address ${onChain}, but the settings announce ${configured}.`
      : `No address is announced on chain yet; the settings announce ${configured}.`
    return [
      (await factsOf(context).running())
        ? fail(saw, 'Restart the miner and read its log: axon-announce-failed tells why the chain refused.')
        : warn(saw, 'Start the miner, which announces it; validators find it at their next epoch.'),
    ]
  },
}

export type Address = Pick<Axon, 'ip' | 'port'>

/**
 * What the settings announce; undefined when they announce nothing, or a port that is known only once the miner runs.
 *
 * @throws TargonError NO_EXTERNAL_ADDRESS
 */
export async function addressToAnnounce(
  context: MinerContext,
  signal: AbortSignal,
): Promise<Address | undefined> {
  const { settings } = context
  if (!settings['axon.announce']) return undefined
  const configured = settings['axon.external_port'] ?? settings['axon.port']
  const running = configured === 0 ? await factsOf(context).running() : undefined
  const port = configured === 0 ? running?.port : configured
  if (typeof port !== 'number') return undefined
  const { resolveExternalAddress } = await import('../../roles/miner/announcing/index.js')
  return { ip: await resolveExternalAddress(settings, signal), port }
}

export const validatorAxonCheck: Check<ValidatorContext> = {
  id: 'axon',
  title: 'reading the axon of the hotkey',
  run: async (context) => {
    const self = await readSelf(context)
    if (!self) return [skip('Not checked, because the hotkey was not found: see registration.')]
    if (!self.axon) return [ok('The hotkey announces no address, as a validator should.')]
    return [
      warn(
        `The hotkey still announces ${shown(self.axon)}, of a miner that ran with it: others query that address.`,
        'Use a hotkey of its own for the validator, or announce 0.0.0.0 port 1 once to clear it.',
      ),
    ]
  },
}

export function shown({ ip, port }: Address): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`
}
