import type { ModelFacts } from '../../../engine/index.js'
import type { InferenceRequest } from '../../../inference/index.js'
import type { Clock } from '../../../kernel/index.js'
import { createRandom, makePrompt } from '../../../prompts/index.js'

const LENGTHS = [
  { min: 32, max: 96 },
  { min: 96, max: 256 },
  { min: 256, max: 512 },
]

/**
 * The request of one planned answer; the same number gives the same request. One in three is greedy, chats and completions
 * and three lengths alternate, so that any part of the plan is as mixed as the whole.
 */
export async function planRequest(
  model: string,
  facts: Pick<ModelFacts, 'endpoints' | 'maxModelLength'>,
  index: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<InferenceRequest> {
  const { endpoints, maxModelLength = Number.POSITIVE_INFINITY } = facts
  const turn = Math.floor(index / 3)
  const endpoint = endpoints[turn % endpoints.length] ?? 'completion'
  const length = LENGTHS[Math.floor(turn / endpoints.length) % LENGTHS.length] ?? { min: 32, max: 96 }
  const most = Math.max(1, Math.floor(maxModelLength / 2))
  const prompt = await makePrompt(
    {
      model,
      endpoints: [endpoint],
      maxTokens: { min: Math.min(length.min, most), max: Math.min(length.max, most) },
      greedyShare: index % 3 === 0 ? 1 : 0,
      random: createRandom(`calibration of ${model}, answer ${index}`),
      clock,
    },
    signal,
  )
  return prompt.forMiner('calibration')
}
