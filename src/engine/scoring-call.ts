import { engineError } from './engine-error.js'
import { isRecord } from './server.js'
import type { ModelFacts, Reference, ReferencePosition, ScoreRequest } from './types.js'

const TOKEN_KEY = /^token_id:(\d+)$/
/** What vLLM writes for minus infinity. */
const LOWEST_LOGPROB = -9999

/**
 * Body of the one call that scores an answer: its ids as prompt, one token generated behind them. All sampling
 * fields are sent, so that the model's generation_config.json changes nothing.
 */
export function scoringBody(
  model: string,
  { input, output, temperature, seed, topK }: ScoreRequest,
  dialect: ModelFacts['dialect'],
): Record<string, unknown> {
  return {
    model,
    prompt: [...input, ...output],
    max_tokens: 1,
    temperature,
    ...(seed === undefined ? {} : { seed }),
    top_p: 1,
    top_k: -1,
    min_p: 0,
    repetition_penalty: 1,
    presence_penalty: 0,
    frequency_penalty: 0,
    logprobs: topK,
    prompt_logprobs: topK,
    // vLLM 0.6.x refuses fields it does not know; there the server flag does it.
    ...(dialect === 'v1' ? { return_tokens_as_token_ids: true } : {}),
    stream: false,
  }
}

/** @throws TargonError ENGINE_ANSWER when the answer does not belong to the request. */
export function parseScoring(body: unknown, { input, output, topK }: ScoreRequest): Reference {
  const choice = isRecord(body) && Array.isArray(body.choices) ? body.choices[0] : undefined
  if (!isRecord(choice)) throw rubbish('no choice')
  const prompt = choice.prompt_logprobs
  const length = input.length + output.length
  if (!Array.isArray(prompt) || prompt.length !== length) {
    throw rubbish(`${Array.isArray(prompt) ? prompt.length : 'no'} prompt_logprobs for ${length} tokens`)
  }
  const positions = output.map((id, index) => {
    const position = parsePosition(prompt[input.length + index])
    if (!position.has(id)) throw rubbish(`position ${index} lacks its token ${id}`)
    return position
  })
  return { positions, next: parseNext(choice.logprobs, topK) }
}

function parsePosition(value: unknown): ReferencePosition {
  if (!isRecord(value)) throw rubbish('a position without entries')
  const position = new Map<number, { logprob: number; rank: number }>()
  for (const [key, entry] of Object.entries(value)) {
    const id = Number(key)
    if (!Number.isSafeInteger(id) || !isRecord(entry)) throw rubbish(`an entry named ${key.slice(0, 40)}`)
    const { logprob, rank } = entry
    if (typeof rank !== 'number' || !Number.isSafeInteger(rank) || rank < 1)
      throw rubbish('an entry without rank')
    position.set(id, { logprob: soundLogprob(logprob), rank })
  }
  return position
}

/** The top list behind the last token has no ranks: the order of its logprobs gives them. */
function parseNext(logprobs: unknown, topK: number): ReferencePosition {
  const lists = isRecord(logprobs) ? logprobs.top_logprobs : undefined
  const top = Array.isArray(lists) ? lists[0] : undefined
  if (!isRecord(top)) throw rubbish('no top_logprobs behind the last token')
  const entries = Object.entries(top).map(([key, logprob]) => {
    const id = TOKEN_KEY.exec(key)?.[1]
    if (id === undefined) throw rubbish('top_logprobs named by text, not token_id:<n>')
    return { id: Number(id), logprob: soundLogprob(logprob) }
  })
  entries.sort((a, b) => b.logprob - a.logprob)
  // One more than asked for is the sampled token, when it lies outside the top.
  return new Map(entries.slice(0, topK).map(({ id, logprob }, index) => [id, { logprob, rank: index + 1 }]))
}

function soundLogprob(value: unknown): number {
  if (value === null) return LOWEST_LOGPROB
  if (typeof value !== 'number' || Number.isNaN(value) || value > 1e-3)
    throw rubbish(`logprob ${String(value)}`)
  return Math.max(LOWEST_LOGPROB, Math.min(0, value))
}

function rubbish(what: string) {
  return engineError('ENGINE_ANSWER', `The engine answered a scoring call with ${what}.`)
}
