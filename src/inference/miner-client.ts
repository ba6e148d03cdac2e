import type { OpenAI } from 'openai'
import { epistulaFetch } from '../epistula/index.js'
import { TargonError } from '../kernel/index.js'
import type { Signer } from '../wallet/index.js'
import { explainErrors } from './error-response.js'
import { guardFetch } from './guarded-fetch.js'

export interface MinerClientOptions {
  readonly signer: Signer
  /** `ip:port` as announced on the chain, or the URL of a load balancer in front of the miner (`https://…`). */
  readonly address: string
  /** ss58 address of the miner: requests are signed for it alone. */
  readonly hotkey: string
}

/**
 * A client of the `openai` package for one miner. Requests are signed, never retried or redirected, and responses are
 * bounded. The package is loaded by the first call. A refusal is the package's `APIError`: `message` has the miner's sentence,
 * `error.body` what it sent.
 *
 * @throws TargonError MINER_ADDRESS (fault usage)
 */
export async function minerClient({ signer, address, hotkey }: MinerClientOptions): Promise<OpenAI> {
  const baseURL = `${baseOf(address)}/v1`
  const { OpenAI: Client } = await import('openai')
  return new Client({
    baseURL,
    // Required by the package; miners identify callers by their signature.
    apiKey: 'epistula',
    // A retry would carry the same signature and be rejected as a replay.
    maxRetries: 0,
    fetch: epistulaFetch({ signer, signedFor: hotkey, fetch: explainErrors(guardFetch()) }),
  })
}

function baseOf(address: string): string {
  const text = address.includes('://') ? address : `http://${address}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '')
    throw new TargonError(`${JSON.stringify(address.slice(0, 200))} is not a valid miner address.`, {
      code: 'MINER_ADDRESS',
      fault: 'usage',
      next: 'Use ip:port, e.g. 203.0.113.5:8091, or an http(s) URL.',
    })
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '').replace(/\/v1$/, '')
}
