import type { IncomingMessage } from 'node:http'
import type { Accounts, ApiKey } from '../../../accounts/index.js'
import type { CallerAddress, FailureBuckets } from '../../../kernel/index.js'
import { invalidKey, tooManyFailures } from './gateway-error.js'

/** Longer texts are no keys and are not hashed. */
const LONGEST_KEY = 256

/** Finds the API key of a request. @throws GatewayError 401, 429; TargonError ACCOUNTS_UNAVAILABLE */
export type Authenticate = (request: IncomingMessage) => Promise<ApiKey>

/**
 * An address that keeps sending invalid keys is refused before its key is looked up, so that it can neither guess nor keep the
 * database busy.
 */
export function createAuthentication(
  accounts: Pick<Accounts, 'find'>,
  failures: FailureBuckets,
  addressOf: CallerAddress,
): Authenticate {
  return async (request) => {
    const address = addressOf(request)
    if (failures.isExhausted(address)) throw tooManyFailures()
    const secret = secretOf(request)
    const key = secret === undefined || secret.length > LONGEST_KEY ? undefined : await accounts.find(secret)
    if (key !== undefined && key.revokedAtMs === undefined) return key
    failures.fail(address)
    if (secret === undefined)
      throw invalidKey('The request has no API key. Send it in the header Authorization: Bearer <key>.')
    throw invalidKey(key === undefined ? 'The API key is not known here.' : 'This API key has been revoked.')
  }
}

/** OpenAI's clients send a bearer token, Anthropic's `x-api-key`. */
function secretOf({ headers }: IncomingMessage): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
  const own = headers['x-api-key']
  return bearer ?? (typeof own === 'string' && own !== '' ? own : undefined)
}
