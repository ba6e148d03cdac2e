import type { ReferenceEngine } from '../../../engine/index.js'
import type { InferenceRequest } from '../../../inference/index.js'
import { createRandom, makePrompt } from '../../../prompts/index.js'
import type { CheckDeps } from './types.js'

/** Long enough for the evidence of an answer, short enough for a check of a minute. */
const TOKENS = { min: 128, max: 256 }
/** Every fourth answer is greedy: few are needed, since each token of them is judged. */
const GREEDY_EVERY = 4
/** A cut shows where unlikely tokens would be drawn. */
const OPEN_TEMPERATURE = 1.5

export interface RequestOptions {
  readonly model: string
  readonly engine: Pick<ReferenceEngine, 'facts' | 'generate'>
  readonly seed: string
  readonly tokens?: { readonly min: number; readonly max: number } | undefined
}

/** The requests of a validator: chats and completions in turn, each with all sampling fields and a seed, some greedy. */
export async function validatorRequests(
  count: number,
  options: RequestOptions,
  deps: CheckDeps,
): Promise<InferenceRequest[]> {
  const requests: InferenceRequest[] = []
  for (let index = 0; index < count; index++) {
    const isGreedy = index % GREEDY_EVERY === GREEDY_EVERY - 1
    // Otherwise all greedy ones would be of the same endpoint.
    const turn = isGreedy ? Math.floor(index / GREEDY_EVERY) : index
    requests.push(await requestOf(String(index), turn, isGreedy, options, deps))
  }
  return requests
}

/** Requests that leave the cuts to the server, as many users' requests do. */
export async function openRequests(
  count: number,
  options: RequestOptions,
  deps: CheckDeps,
): Promise<InferenceRequest[]> {
  const requests: InferenceRequest[] = []
  for (let index = 0; index < count; index++) {
    const request = await requestOf(`open ${index}`, index, false, options, deps)
    requests.push({ ...request, temperature: OPEN_TEMPERATURE, mayBeCut: true })
  }
  return requests
}

async function requestOf(
  key: string,
  turn: number,
  isGreedy: boolean,
  { model, engine, seed, tokens = TOKENS }: RequestOptions,
  { clock, signal }: CheckDeps,
): Promise<InferenceRequest> {
  const endpoints = engine.facts?.endpoints ?? ['chat', 'completion']
  const endpoint = endpoints[turn % endpoints.length] ?? 'completion'
  const random = createRandom(`${seed} ${key}`)
  const prompt = await makePrompt(
    {
      ...{ model, engine, clock, random },
      endpoints: [endpoint],
      maxTokens: tokens,
      greedyShare: isGreedy ? 1 : 0,
    },
    signal,
  )
  return prompt.forMiner('check')
}
