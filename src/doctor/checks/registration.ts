import type { Neuron } from '../../chain/index.js'
import { registerCommand } from '../../wallet/index.js'
import type { Check, Context, HubContext, MinerContext, ValidatorContext } from '../context.js'
import { factsOf } from '../facts.js'
import { fail, ok, type Seen, skip, warn } from '../finding.js'

/** What a miner requires of its callers by default (min-stake). */
const USUAL_MIN_STAKE_TAO = 10_000
/** Above it, validators take a hotkey with a permit for another validator (their vpermit-tao-limit). */
const USUAL_PERMIT_LIMIT_TAO = 4096

/** The neuron of the hotkey, or why it is not known. */
async function findSelf(context: Context): Promise<{ neuron: Neuron } | { seen: Seen }> {
  const { endpoint, hotkey } = factsOf(context)
  const [report, signer] = await Promise.all([endpoint(), hotkey()])
  if (!report) return { seen: skip('Not checked, because no chain endpoint answers: see chain.') }
  if (!signer) return { seen: skip('Not checked, because the hotkey cannot be read: see wallet.') }
  const neuron = report.metagraph.find(signer.address)
  if (neuron) return { neuron }
  const { settings } = context
  const place = {
    name: settings['wallet.name'],
    hotkey: settings['wallet.hotkey'],
    path: settings['wallet.path'],
  }
  const command = registerCommand(settings.netuid, place, settings['subtensor.network'])
  const seen = fail(
    `Hotkey ${signer.address} is not registered on subnet ${settings.netuid}.`,
    `Register it with: ${command}`,
  )
  return { seen }
}

/** The neuron of the hotkey, for checks that need no other; undefined when it is not known. */
export async function readSelf(context: Context): Promise<Neuron | undefined> {
  const found = await findSelf(context)
  return 'neuron' in found ? found.neuron : undefined
}

export const registrationCheck: Check = {
  id: 'registration',
  title: 'reading the metagraph',
  run: async (context) => {
    const found = await findSelf(context)
    return 'seen' in found ? [found.seen] : [registered(found.neuron)]
  },
}

function registered({ uid, stakeTao }: Neuron): Seen {
  return ok(`Registered as uid ${uid} with ${stakeTao.toFixed(0)} TAO.`)
}

export const minerRegistrationCheck: Check<MinerContext> = {
  ...registrationCheck,
  run: async (context) => {
    const found = await findSelf(context)
    if ('seen' in found) return [found.seen]
    const { validatorPermit, stakeTao } = found.neuron
    if (!validatorPermit || stakeTao <= USUAL_PERMIT_LIMIT_TAO) return [registered(found.neuron)]
    return [
      warn(
        `This hotkey has a validator permit and ${stakeTao.toFixed(0)} TAO: validators take it for a validator and do not query it.`,
        'Mine with a hotkey that has less stake.',
      ),
    ]
  },
}

export const validatorRegistrationCheck: Check<ValidatorContext> = {
  ...registrationCheck,
  run: async (context) => {
    const found = await findSelf(context)
    if ('seen' in found) return [found.seen]
    const { uid, validatorPermit, stakeTao } = found.neuron
    if (!validatorPermit && !context.settings['is-testnet'])
      return [
        fail(
          `Uid ${uid} has no validator permit, so it may not set weights.`,
          'Stake more on this hotkey: the subnet gives permits to those with most stake at every epoch.',
        ),
      ]
    if (stakeTao < USUAL_MIN_STAKE_TAO) return [lowStake(found.neuron)]
    return [ok(`Registered as uid ${uid} with ${stakeTao.toFixed(0)} TAO and a validator permit.`)]
  },
}

export const hubRegistrationCheck: Check<HubContext> = {
  ...registrationCheck,
  run: async (context) => {
    const found = await findSelf(context)
    if ('seen' in found) return [found.seen]
    return [found.neuron.stakeTao < USUAL_MIN_STAKE_TAO ? lowStake(found.neuron) : registered(found.neuron)]
  },
}

function lowStake({ uid, stakeTao }: Neuron): Seen {
  return warn(
    `Uid ${uid} has ${stakeTao.toFixed(0)} TAO: miners refuse callers below ${USUAL_MIN_STAKE_TAO} TAO unless they are set otherwise.`,
    'Stake more on this hotkey.',
  )
}
