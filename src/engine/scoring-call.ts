import { isJsonObject } from '../kernel/index.js'
import { engineError } from './engine-error.js'
import type { ModelFacts, Reference, ReferencePosition, ScoreRequest } from './types.js'

const TOKEN_KEY = /^token_id:(\d+)$/
/** What vLLM writes for minus infinity. */
const LOWEST_LOGPROB = -9999

/**
 * Body of the call that scores answers: the ids of each are a prompt, and one more token is generated. All sampling fields are
 * sent, so that the model's generation_config.json has no effect. No seed: it changes nothing about the scores, and with one
 * vLLM 0.32 for CPUs ends at a prompt that it reads in several parts.
 *
 * @param requests with the same `topK`, and the same temperature where the server scales prompt logprobs by it.
 */
export function scoringBody(
  model: string,
  requests: readonly [ScoreRequest, ...ScoreRequest[]],
  dialect: ModelFacts['dialect'],
): Record<string, unknown> {
  const [{ temperature, topK }] = requests
  const prompts = requests.map(({ input, output }) => [...input, ...output])
  return {
    model,
    prompt: prompts.length === 1 ? prompts[0] : prompts,
    max_tokens: 1,
    temperature,
    top_p: 1,
    top_k: -1,
    min_p: 0,
    repetition_penalty: 1,
    presence_penalty: 0,
    frequency_penalty: 0,
    logprobs: topK,
    prompt_logprobs: topK,
    // vLLM 0.6.x rejects unknown fields; there the server flag has the same effect.
    ...(dialect === 'v1' ? { return_tokens_as_token_ids: true } : {}),
    stream: false,
  }
}

/** @throws TargonError ENGINE_ANSWER when the response does not belong to the requests */
export function parseScoring(body: unknown, requests: readonly ScoreRequest[]): Reference[] {
  const choices: readonly unknown[] = isJsonObject(body) && Array.isArray(body.choices) ? body.choices : []
  if (choices.length !== requests.length)
    throw invalid(`${choices.length} choices for ${requests.length} answers`)
  // vLLM writes them in the order of the prompts and numbers them.
  return requests.map((request, index) => {
    const choice = choices[index]
    if (!isJsonObject(choice) || (choice.index ?? 0) !== index) throw invalid('a choice out of order')
    return parseChoice(choice, request)
  })
}

function parseChoice(choice: Readonly<Record<string, unknown>>, request: ScoreRequest): Reference {
  const { input, output } = request
  const prompt = choice.prompt_logprobs
  const length = input.length + output.length
  if (!Array.isArray(prompt) || prompt.length !== length) {
    throw invalid(`${Array.isArray(prompt) ? prompt.length : 'no'} prompt_logprobs for ${length} tokens`)
  }
  const positions = output.map((_, index) => parsePosition(prompt[input.length + index]))
  return referenceOf(positions, choice, request)
}

/**
 * @param positions those of the output
 * @throws TargonError ENGINE_ANSWER when they do not belong to the request, or the choice has no top list
 */
export function referenceOf(
  positions: readonly ReferencePosition[],
  choice: Readonly<Record<string, unknown>>,
  { output, topK }: ScoreRequest,
): Reference {
  for (const [index, id] of output.entries())
    if (!positions[index]?.has(id)) throw invalid(`position ${index} does not contain its token ${id}`)
  return { positions, next: parseNext(choice.logprobs, topK) }
}

function parsePosition(value: unknown): ReferencePosition {
  if (!isJsonObject(value)) throw invalid('a position without entries')
  const position = new Map<number, { logprob: number; rank: number }>()
  for (const [key, entry] of Object.entries(value)) {
    const id = Number(key)
    if (!Number.isSafeInteger(id) || !isJsonObject(entry)) throw invalid(`an entry named ${key.slice(0, 40)}`)
    position.set(id, entryOf(entry.logprob, entry.rank))
  }
  return position
}

/** @throws TargonError ENGINE_ANSWER unless they are a log probability and a rank */
export function entryOf(logprob: unknown, rank: unknown): { logprob: number; rank: number } {
  if (typeof rank !== 'number' || !Number.isSafeInteger(rank) || rank < 1)
    throw invalid('an entry without rank')
  return { logprob: readLogprob(logprob), rank }
}

/** The top list after the last token has no ranks; they follow from the order of its logprobs. */
function parseNext(logprobs: unknown, topK: number): ReferencePosition {
  const lists = isJsonObject(logprobs) ? logprobs.top_logprobs : undefined
  const top = Array.isArray(lists) ? lists[0] : undefined
  if (!isJsonObject(top)) throw invalid('no top_logprobs after the last token')
  const entries = Object.entries(top).map(([key, logprob]) => {
    const id = TOKEN_KEY.exec(key)?.[1]
    if (id === undefined) throw invalid('top_logprobs keyed by text instead of token_id:<n>')
    return { id: Number(id), logprob: readLogprob(logprob) }
  })
  entries.sort((a, b) => b.logprob - a.logprob)
  // One more than requested: the sampled token, when it lies outside the top.
  return new Map(entries.slice(0, topK).map(({ id, logprob }, index) => [id, { logprob, rank: index + 1 }]))
}

function readLogprob(value: unknown): number {
  if (value === null) return LOWEST_LOGPROB
  if (typeof value !== 'number' || Number.isNaN(value) || value > 1e-3)
    throw invalid(`logprob ${String(value)}`)
  return Math.max(LOWEST_LOGPROB, Math.min(0, value))
}

function invalid(what: string) {
  return engineError('ENGINE_ANSWER', `The engine returned an invalid scoring response: ${what}.`)
}
