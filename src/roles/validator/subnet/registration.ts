import type { Metagraph, Neuron } from '../../../chain/index.js'
import { type Log, TargonError } from '../../../kernel/index.js'

export interface RegistrationFacts {
  readonly metagraph: Metagraph
  readonly hotkey: string
  /** Allows running without a permit (IS_TESTNET). */
  readonly isTestnet: boolean
  readonly onFinney: boolean
  readonly allowPrivateAxons: boolean
}

/**
 * Checks that this hotkey may validate on the subnet: registered, and with a permit.
 *
 * @throws TargonError HOTKEY_NOT_REGISTERED, NO_VALIDATOR_PERMIT (fault chain), PRIVATE_AXONS_ON_FINNEY (fault usage)
 */
export function requireRegistration(facts: RegistrationFacts, log: Log): Neuron {
  const { metagraph, hotkey, isTestnet, onFinney } = facts
  if (facts.allowPrivateAxons && onFinney)
    throw new TargonError(
      '--allow-private-axons is not allowed on finney: miners could direct requests into your network.',
      {
        code: 'PRIVATE_AXONS_ON_FINNEY',
        fault: 'usage',
        next: 'Remove --allow-private-axons.',
      },
    )
  const self = metagraph.find(hotkey)
  if (!self)
    throw new TargonError(`Hotkey ${hotkey} is not registered on subnet ${metagraph.netuid}.`, {
      code: 'HOTKEY_NOT_REGISTERED',
      fault: 'chain',
      next: `Register it: btcli subnets register --netuid ${metagraph.netuid}.`,
      facts: { hotkey, netuid: metagraph.netuid },
    })
  if (isTestnet && onFinney)
    log.warn(
      { event: 'testnet-flag-on-finney' },
      'IS_TESTNET is set on finney: a missing validator permit is ignored',
    )
  if (!self.validatorPermit && !isTestnet)
    throw new TargonError(
      `Hotkey ${hotkey} (uid ${self.uid}) has no validator permit on subnet ${metagraph.netuid}.`,
      {
        code: 'NO_VALIDATOR_PERMIT',
        fault: 'chain',
        next: 'Add stake until the subnet grants a permit, or set IS_TESTNET on a test network.',
        facts: { hotkey, uid: self.uid, stakeTao: self.stakeTao },
      },
    )
  return self
}
