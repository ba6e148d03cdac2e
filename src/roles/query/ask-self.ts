import type { Metagraph, Neuron } from '../../chain/index.js'
import { isSpecialAddress, TargonError } from '../../kernel/index.js'
import { listModels } from './miner-models.js'
import { type Miner, urlOf } from './miners.js'
import type { QueryOptions } from './query-miner.js'

/** A miner's own announcement on chain, as validators find it. */
export interface OwnMiner extends Miner {
  readonly uid: number
  /** Block of the announcement. */
  readonly announcedAtBlock: number
  /** Why validators may pass the miner over although it answers; one sentence each. */
  readonly warnings: readonly string[]
}

/** TAO; the default of the validators' `vpermit-tao-limit`. */
const VPERMIT_TAO_LIMIT = 4096

/**
 * Finds the miner of this hotkey in the metagraph.
 *
 * @throws TargonError HOTKEY_NOT_REGISTERED (chain), AXON_NOT_ANNOUNCED (usage)
 */
export function findSelf(metagraph: Metagraph, hotkey: string, isPrivateAllowed: boolean): OwnMiner {
  const neuron = metagraph.find(hotkey)
  if (!neuron)
    throw new TargonError(`The hotkey ${hotkey} is not registered on subnet ${metagraph.netuid}.`, {
      code: 'HOTKEY_NOT_REGISTERED',
      fault: 'chain',
      next: 'Check --wallet.name, --wallet.hotkey and --netuid, or register it with btcli.',
      facts: { hotkey, netuid: metagraph.netuid },
    })
  const { uid, axon } = neuron
  if (!axon || axon.port === 0)
    throw new TargonError(`The hotkey ${hotkey} (uid ${uid}) announces no address on chain.`, {
      code: 'AXON_NOT_ANNOUNCED',
      fault: 'usage',
      next: 'Start the miner with targon miner start, which announces its address.',
      facts: { hotkey, uid },
    })
  const warnings = warningsFor(neuron, axon.ip, isPrivateAllowed)
  return { uid, hotkey, url: urlOf(axon.ip, axon.port), announcedAtBlock: axon.block, warnings }
}

function warningsFor(
  { validatorPermit, stakeTao }: Neuron,
  ip: string,
  isPrivateAllowed: boolean,
): readonly string[] {
  const warnings: string[] = []
  if (isSpecialAddress(ip) && !isPrivateAllowed)
    warnings.push(`The address ${ip} is not public: validators skip miners with such an address.`)
  if (validatorPermit && stakeTao > VPERMIT_TAO_LIMIT)
    warnings.push(
      `With a validator permit and more than ${VPERMIT_TAO_LIMIT} TAO of stake it counts as a validator, which other validators do not query.`,
    )
  return warnings
}

/**
 * The models that the miner lists to a validator.
 *
 * @throws TargonError SELF_UNREACHABLE (upstream) when its address does not answer with a list.
 */
export async function listOwnModels(self: OwnMiner, options: QueryOptions): Promise<readonly string[]> {
  const [listed] = await listModels([self], options)
  options.signal.throwIfAborted()
  if (listed && listed.fault === undefined) return listed.models
  const status = listed?.status
  throw new TargonError(`The miner does not list its models at ${self.url}: ${listed?.fault}.`, {
    code: 'SELF_UNREACHABLE',
    fault: 'upstream',
    next: status === undefined ? UNREACHED : adviceForOwn(status),
    facts: { url: self.url, ...(status === undefined ? {} : { status }) },
  })
}

const UNREACHED =
  'Check that the port is open and that --axon.external_ip and --axon.external_port of the miner are right. Some routers do not let their own network reach its public address: then try from another host.'

function adviceForOwn(status: number): string {
  if (status === 401 || status === 403)
    return 'Another release of the miner answers there, which refuses its own hotkey for want of stake; the address and the signature are right.'
  if (status === 400)
    return 'Check the clock of both machines (NTP), and that the miner runs with this hotkey.'
  return 'Look at the log of the miner, or at targon miner status.'
}

/** What to do when the answer of one's own miner is not good. */
export const MEND_OWN_MINER = 'Find the cause with targon miner check, and look at targon miner status.'

/** Asked when no prompt is given. */
export const SELF_PROMPT = 'Name three rivers and say where they begin.'
