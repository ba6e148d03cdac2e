import { FINNEY_GENESIS } from '../../chain/index.js'
import { TargonError } from '../../kernel/index.js'
import { registerCommand } from '../../wallet/index.js'
import { type Miners, openMiners } from './miners/index.js'
import type { HubContext } from './types.js'

/** TAO; the default of the miners' `min-stake`. */
const USUAL_MIN_STAKE_TAO = 10_000

/**
 * Reads the miners of the subnet.
 *
 * @throws TargonError PRIVATE_AXONS_ON_FINNEY (fault usage), HOTKEY_NOT_REGISTERED (fault chain), and what Subtensor.metagraph
 * throws
 */
export async function openSubnet(context: HubContext, random: () => number): Promise<Miners> {
  const { settings, deps, signal } = context
  const { subtensor, signer, clock, log } = deps
  const allowsPrivate = settings['allow-private-axons']
  if (allowsPrivate && subtensor.genesisHash === FINNEY_GENESIS)
    throw new TargonError(
      '--allow-private-axons is not allowed on finney: miners could direct requests into your network.',
      { code: 'PRIVATE_AXONS_ON_FINNEY', fault: 'usage', next: 'Remove --allow-private-axons.' },
    )
  const miners = await openMiners({
    ...{ subtensor, signer, clock, log, random, signal, allowsPrivate },
    netuid: settings.netuid,
    refreshMs: settings['hub.refresh'] * 1000,
    validators: settings['hub.validators'],
    limits: { coldkeyShare: settings['hub.coldkey-share'], trickle: settings['hub.trickle'] },
  })
  requireRegistration(context, miners)
  return miners
}

/** Miners refuse callers that are not registered, and most refuse those with little stake. */
function requireRegistration({ settings, deps }: HubContext, miners: Miners): void {
  const { signer, log } = deps
  const { netuid } = settings
  const hotkey = signer.address
  const self = miners.metagraph().find(hotkey)
  const place = {
    name: settings['wallet.name'],
    hotkey: settings['wallet.hotkey'],
    path: settings['wallet.path'],
  }
  if (self === undefined)
    throw new TargonError(`The hotkey ${hotkey} is not registered on subnet ${netuid}.`, {
      code: 'HOTKEY_NOT_REGISTERED',
      fault: 'chain',
      next: `Register it: ${registerCommand(netuid, place, settings['subtensor.network'])}`,
      facts: { hotkey, netuid },
    })
  const { stakeTao } = self
  if (stakeTao < USUAL_MIN_STAKE_TAO)
    log.warn(
      { event: 'hub-stake-low', stakeTao, next: 'Add stake to this hotkey, or use that of a validator.' },
      'most miners refuse callers with less than 10000 TAO of stake',
    )
}
