import { z } from 'zod'
import type { Clock, Log } from '../kernel/index.js'
import { askOneToken } from './one-token.js'
import type { Upstream } from './upstream.js'

/**
 * Whether a server names tokens by id in its logprobs, without which no validator can verify an answer:
 * `always` (server flag), `on-request` (it knows the request field), `never`, `unknown` (not asked yet, or no answer).
 */
export type TokenIds = 'always' | 'on-request' | 'never' | 'unknown'

const completion = z.object({
  choices: z.array(z.object({ logprobs: z.object({ tokens: z.array(z.string()) }).nullish() })).min(1),
})

/** Asks an upstream for one token, with and if need be without the field of the request, and says what to do about it. */
export async function probeTokenIds(
  clock: Clock,
  log: Log,
  upstream: Upstream,
  signal: AbortSignal,
): Promise<void> {
  const [model] = upstream.targets()
  if (model === undefined) return
  const before = upstream.tokenIds
  try {
    upstream.tokenIds = (await hasTokenIds(clock, upstream, model, false, signal))
      ? 'always'
      : (await hasTokenIds(clock, upstream, model, true, signal))
        ? 'on-request'
        : 'never'
  } catch (error) {
    if (signal.aborted) throw error
    log.debug(
      { event: 'token-ids-unknown', upstream: upstream.url, err: error },
      'could not check whether the model server returns token ids',
    )
    return
  }
  if (upstream.tokenIds !== before) advise(log, upstream)
}

async function hasTokenIds(
  clock: Clock,
  upstream: Upstream,
  model: string,
  isAsked: boolean,
  signal: AbortSignal,
): Promise<boolean> {
  const fields = { logprobs: 1, ...(isAsked ? { return_tokens_as_token_ids: true } : {}) }
  const answer = await askOneToken(clock, upstream, model, fields, signal)
  // A server that does not know the field refuses it with 400 (vLLM 0.6) or ignores it (later ones).
  if (answer.status === 400 && isAsked) return false
  if (answer.status !== 200) throw new Error(`the probe was answered with ${answer.status}`)
  const parsed = completion.safeParse(JSON.parse(answer.text))
  const tokens = parsed.success ? (parsed.data.choices[0]?.logprobs?.tokens ?? []) : []
  return tokens.length > 0 && tokens.every((token) => /^token_id:\d+$/.test(token))
}

function advise(log: Log, upstream: Upstream): void {
  const { url, tokenIds, settings } = upstream
  if (tokenIds === 'always' || (tokenIds === 'on-request' && settings.addTokenIds)) {
    log.info({ event: 'token-ids-present', upstream: url, tokenIds }, 'model server returns token ids')
    return
  }
  const flag = 'Start the server with --return-tokens-as-token-ids'
  log.warn(
    {
      event: 'token-ids-missing',
      upstream: url,
      tokenIds,
      next: tokenIds === 'on-request' ? `${flag}, or the miner with --routing.add-token-ids.` : `${flag}.`,
    },
    'model server returns no token ids: validators cannot verify its answers',
  )
}
