import { randomInt } from 'node:crypto'
import type { QuerySettings } from '../../config/index.js'
import type { InferenceRequest } from '../../inference/index.js'
import { TargonError } from '../../kernel/index.js'

/** @throws TargonError CONFIG_BAD_VALUE for a seed that is not a whole number. */
export function buildRequest(settings: QuerySettings, model: string, prompt: string): InferenceRequest {
  const { seed, system, temperature } = settings
  if (seed !== undefined && !/^\d{1,15}$/.test(seed))
    throw new TargonError(`--seed must be a whole number, got ${JSON.stringify(seed)}.`, {
      code: 'CONFIG_BAD_VALUE',
      fault: 'usage',
      next: 'Use digits only, or omit --seed.',
    })
  const common = {
    model,
    temperature,
    maxTokens: settings['max-tokens'],
    // verification needs a reproducible seed; 4.4.1 draws from the same range
    seed: seed === undefined ? randomInt(10_000, 10_000_000) : Number(seed),
  }
  if (settings.completion)
    return {
      ...common,
      endpoint: 'completion',
      prompt: system === undefined ? prompt : `${system}\n\n${prompt}`,
    }
  const messages = [
    ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
    { role: 'user' as const, content: prompt },
  ]
  return { ...common, endpoint: 'chat', messages }
}
