import type { Endpoint } from '../../../inference/index.js'
import { isJsonObject, type JsonObject, parseJson } from '../../../kernel/index.js'

/**
 * A chunk that validators of 4.4.1 can read. They take the first choice and the first of its log probabilities without looking
 * whether there is one, and a chunk for which that fails costs them the whole bucket, with the answers of all miners. So a chunk
 * without choices is left out, and log probabilities that they cannot read become `null`; a reader that looks finds no usable
 * token in either.
 *
 * @param text a chunk as `copyChunkJson` makes it
 * @returns undefined for a chunk without choices
 */
export function legibleChunk(text: string, endpoint: Endpoint): string | undefined {
  const chunk = parseJson(text)
  if (!isJsonObject(chunk)) return undefined
  const [choice] = Array.isArray(chunk.choices) ? chunk.choices : []
  if (!isJsonObject(choice)) return undefined
  const { logprobs } = choice
  const isLegible = endpoint === 'chat' ? isLegibleChat : isLegibleCompletion
  if (logprobs === null || logprobs === undefined || (isJsonObject(logprobs) && isLegible(logprobs)))
    return text
  return JSON.stringify({ ...chunk, choices: [{ ...choice, logprobs: null }] })
}

function isLegibleChat({ content }: JsonObject): boolean {
  const [first] = Array.isArray(content) ? content : []
  return isJsonObject(first) && isLegibleToken(first.token)
}

/** Validators of 4.4.1 have a default for a missing list, but not for an empty one. */
function isLegibleCompletion({ tokens, token_logprobs: logprobs }: JsonObject): boolean {
  const hasLogprob = logprobs === undefined || (Array.isArray(logprobs) && logprobs.length > 0)
  return hasLogprob && (tokens === undefined || (Array.isArray(tokens) && isLegibleToken(tokens[0])))
}

/** What follows `token_id:` is read as a whole number. */
function isLegibleToken(token: unknown): boolean {
  return typeof token === 'string' && (!token.startsWith('token_id:') || /^token_id:-?\d{1,15}$/.test(token))
}
