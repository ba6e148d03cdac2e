import { z } from 'zod'
import type { Clock, Log } from '../kernel/index.js'
import { parseReply } from './parse-reply.js'
import { probeOneToken } from './probe.js'
import type { Upstream } from './upstream.js'

const completion = z.object({
  choices: z.array(z.object({ logprobs: z.object({ tokens: z.array(z.string()) }).nullish() })).min(1),
})

/** Finds out whether an upstream returns token ids, with or without the request field, and logs what to do when it does not. */
export async function probeTokenIds(
  clock: Clock,
  log: Log,
  upstream: Upstream,
  signal: AbortSignal,
): Promise<void> {
  const [model] = upstream.targetModels()
  if (model === undefined) return
  const before = upstream.tokenIds
  try {
    upstream.tokenIds = (await returnsTokenIds(clock, upstream, model, false, signal))
      ? 'always'
      : (await returnsTokenIds(clock, upstream, model, true, signal))
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
  if (upstream.tokenIds !== before) logAdvice(log, upstream)
}

async function returnsTokenIds(
  clock: Clock,
  upstream: Upstream,
  model: string,
  withField: boolean,
  signal: AbortSignal,
): Promise<boolean> {
  const fields = { logprobs: 1, ...(withField ? { return_tokens_as_token_ids: true } : {}) }
  const reply = await probeOneToken(clock, upstream, model, fields, signal)
  // A server that does not support the field refuses it with 400 (vLLM 0.6) or ignores it (later versions).
  if (reply.status === 400 && withField) return false
  if (reply.status !== 200) throw new Error(`the probe returned ${reply.status}`)
  const parsed = completion.safeParse(parseReply(reply.text))
  const tokens = parsed.success ? (parsed.data.choices[0]?.logprobs?.tokens ?? []) : []
  return tokens.length > 0 && tokens.every((token) => /^token_id:\d+$/.test(token))
}

function logAdvice(log: Log, upstream: Upstream): void {
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
