import type { Condition } from '../../../alerts/index.js'
import { implausibleFindings } from '../../chain-conditions.js'
import { type CertificateParts, certificateConditions } from './certificate-conditions.js'
import { type OrganicsParts, organicsConditions } from './organics-conditions.js'
import { type RequestParts, requestConditions } from './request-conditions.js'

/** The parts of a hub that know what can be wrong with it. */
export interface HubAlertParts extends CertificateParts, OrganicsParts, RequestParts {
  readonly clock: CertificateParts['clock'] & OrganicsParts['clock']
  readonly hotkey: string
  readonly netuid: number
  readonly miners: RequestParts['miners'] & {
    readonly metagraph: () => { readonly find: (hotkey: string) => unknown }
    /** Why the miners could not be read last; undefined when they could. */
    readonly failure: () => unknown
  }
  /** Why the database of the keys cannot be used; undefined while it can. */
  readonly accountsTrouble: () => string | undefined
}

/** A database that restarts is back within a minute. */
const ACCOUNTS_MS = 60_000

/** Whether this hub can serve its users, and whether validators verify what they are answered. */
export function hubConditions(parts: HubAlertParts): Condition[] {
  return [
    ...subnetConditions(parts),
    accountsCondition(parts),
    ...requestConditions(parts),
    ...organicsConditions(parts),
    ...certificateConditions(parts),
  ]
}

function subnetConditions({ miners, hotkey, netuid }: HubAlertParts): Condition[] {
  return [
    {
      ...{ id: 'deregistered', severity: 'critical', forMs: 0 },
      look: () => {
        if (miners.metagraph().find(hotkey) !== undefined) return []
        return [
          {
            sentence: `Hotkey ${hotkey} is no longer registered on subnet ${netuid}, so miners refuse the requests of this hub.`,
            next: `Register it again: btcli subnets register --netuid ${netuid}.`,
          },
        ]
      },
    },
    {
      ...{ id: 'endpoints-differ', severity: 'critical', forMs: 0 },
      look: () => implausibleFindings(miners.failure()),
    },
  ]
}

function accountsCondition({ accountsTrouble }: HubAlertParts): Condition {
  return {
    ...{ id: 'accounts-unavailable', severity: 'critical', forMs: ACCOUNTS_MS },
    look: () => {
      const reason = accountsTrouble()
      if (reason === undefined) return []
      return [
        {
          sentence: `The database of the API keys cannot be used, so every request fails with 503 accounts_unavailable: ${reason.replace(/\.$/, '')}.`,
          next: 'Check --database.url and its server, or the disk of the state folder; targon doctor hub tests the connection.',
        },
      ]
    },
  }
}
