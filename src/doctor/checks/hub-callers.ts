import type { Metagraph } from '../../chain/index.js'
import { initSr25519, publicKeyOf, readTrustedProxies } from '../../kernel/index.js'
import type { Check, HubContext } from '../context.js'
import { factsOf } from '../facts.js'
import { fail, ok, type Seen, skip, warn } from '../finding.js'

/** Who may read users’ requests and report on them. */
export const hubValidatorsCheck: Check<HubContext> = {
  id: 'validators',
  title: 'reading who may collect users’ requests',
  run: async (context) => {
    const listed = context.settings['hub.validators']
    const report = await factsOf(context).endpoint()
    const metagraph = report?.metagraph
    if (listed.length === 0) return [permittedFinding(metagraph)]
    await initSr25519()
    const found = listed.flatMap((hotkey) => listedFindings(hotkey, metagraph))
    return found.length > 0 ? found : [ok(`${listed.length} listed validators may collect users’ requests.`)]
  },
}

function permittedFinding(metagraph: Metagraph | undefined): Seen {
  if (!metagraph) return skip('Not checked, because no chain endpoint answers: see chain.')
  const count = metagraph.neurons.filter(({ validatorPermit }) => validatorPermit).length
  if (count > 0) return ok(`${count} validators with a permit may collect users’ requests.`)
  return warn(
    'The subnet has no validator with a permit, so nothing is verified for this hub.',
    'List hotkeys that may collect users’ requests with --hub.validators.',
  )
}

function listedFindings(hotkey: string, metagraph: Metagraph | undefined): Seen[] {
  if (publicKeyOf(hotkey) === undefined)
    return [
      fail(
        `--hub.validators has ${JSON.stringify(hotkey)}, which is not the address (ss58) of a hotkey.`,
        'Write addresses in ss58 form, which begin with 5; ask the operator of the validator for it.',
      ),
    ]
  if (!metagraph || metagraph.find(hotkey)) return []
  return [
    warn(
      `Hotkey ${hotkey} of --hub.validators is not registered on the subnet.`,
      'Correct it, or remove it from --hub.validators.',
    ),
  ]
}

/** @throws TargonError BAD_TRUSTED_PROXY, which is the finding */
export const hubProxiesCheck: Check<HubContext> = {
  id: 'proxies',
  title: 'reading the trusted proxies',
  run: async ({ settings }) => {
    const entries = settings['hub.trusted-proxies']
    readTrustedProxies(entries, 'hub.trusted-proxies')
    return [
      entries.length === 0
        ? ok('No proxy is trusted: limits use the address that connects.')
        : ok(`X-Forwarded-For from ${entries.join(', ')} is trusted.`),
    ]
  },
}
