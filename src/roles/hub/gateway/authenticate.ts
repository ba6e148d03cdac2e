import type { IncomingMessage } from 'node:http'
import type { Accounts, ApiKey } from '../../../accounts/index.js'
import type { CallerAddress, Clock, FailureBuckets } from '../../../kernel/index.js'
import { invalidKey, tooManyFailures, tooManyRefusals } from './gateway-error.js'

/** Longer texts cannot be keys and are not hashed. */
const LONGEST_KEY = 256

/** Finds the API key of a request, unless too much of what it sent was refused. @throws GatewayError 401, 429; TargonError ACCOUNTS_UNAVAILABLE */
export type Authenticate = (request: IncomingMessage) => Promise<ApiKey>

interface AuthenticationOptions {
  readonly accounts: Pick<Accounts, 'find'>
  /** Invalid keys by address. */
  readonly failures: FailureBuckets
  /** Refused requests by the id of their key. */
  readonly refusals: FailureBuckets
  readonly addressOf: CallerAddress
  readonly clock: Clock
}

/**
 * An address that keeps sending invalid keys is refused before its key is looked up, so that it can neither guess nor keep the
 * database busy. So is a key of which request after request is refused, before the body is read and the database is asked for
 * its limits.
 */
export function createAuthentication(options: AuthenticationOptions): Authenticate {
  const { accounts, failures, refusals, addressOf, clock } = options
  return async (request) => {
    const address = addressOf(request)
    if (failures.isExhausted(address)) throw tooManyFailures()
    const secret = secretOf(request)
    const key = secret === undefined || secret.length > LONGEST_KEY ? undefined : await accounts.find(secret)
    const reason = secret === undefined ? MISSING : reasonAgainst(key, clock.now())
    if (key !== undefined && reason === undefined) {
      if (refusals.isExhausted(key.id)) throw tooManyRefusals()
      return key
    }
    failures.fail(address)
    throw invalidKey(reason ?? UNKNOWN)
  }
}

const MISSING = 'The request has no API key. Send it in the header Authorization: Bearer <key>.'
const UNKNOWN = 'Unknown API key. Check it for a typo, or ask the operator of the hub.'

function reasonAgainst(key: ApiKey | undefined, nowMs: number): string | undefined {
  if (key === undefined) return UNKNOWN
  if (key.revokedAtMs !== undefined) return 'This API key has been revoked.'
  const { expiresAtMs } = key.limits
  return expiresAtMs !== undefined && expiresAtMs <= nowMs ? 'This API key has expired.' : undefined
}

/** OpenAI's clients send a bearer token, Anthropic's `x-api-key`. */
function secretOf({ headers }: IncomingMessage): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
  const own = headers['x-api-key']
  return bearer ?? (typeof own === 'string' && own !== '' ? own : undefined)
}
