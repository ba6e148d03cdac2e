import { randomInt } from 'node:crypto'
import type { QuerySettings } from '../../config/index.js'
import { burstRuleOf, type InferenceRequest } from '../../inference/index.js'
import { type Clock, TargonError, withDeadline } from '../../kernel/index.js'
import type { RoleDeps } from '../role.js'
import type { Judge } from './ask.js'

/** Time a reference engine has to show that it is ready. */
const ENGINE_TIMEOUT_MS = 30_000

/** @throws TargonError CONFIG_BAD_VALUE for a seed that is no whole number. */
export function buildRequest(settings: QuerySettings, model: string, prompt: string): InferenceRequest {
  const { seed, system, temperature } = settings
  if (seed !== undefined && !/^\d{1,15}$/.test(seed))
    throw new TargonError(`--seed is ${JSON.stringify(seed)}, but the seed of a request is a whole number.`, {
      code: 'CONFIG_BAD_VALUE',
      fault: 'usage',
      next: 'Give digits only, or leave it out.',
    })
  const common = {
    model,
    temperature,
    maxTokens: settings['max-tokens'],
    // a verdict needs a seed that can be repeated; 4.4.1 draws from the same range
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

export interface OpenJudge extends Judge {
  close(): Promise<void>
}

/**
 * Connects the reference engine of a model and waits until it is ready.
 *
 * @throws TargonError REFERENCE_ENGINE_MISSING (usage), ENGINE_UNAVAILABLE (upstream)
 */
export async function openJudge(
  settings: QuerySettings,
  model: string,
  cacheDir: string,
  deps: { readonly clock: Clock; readonly log: RoleDeps['log']; readonly signal: AbortSignal },
): Promise<OpenJudge> {
  const { connectEngine, parseEngineEndpoints } = await import('../../engine/index.js')
  const endpoint = parseEngineEndpoints(settings['engine.endpoints']).find((entry) => entry.model === model)
  if (!endpoint)
    throw new TargonError(`There is no reference engine for ${model}, so its answer cannot be judged.`, {
      code: 'REFERENCE_ENGINE_MISSING',
      fault: 'usage',
      next: `Give one: --engine.endpoints ${model}=http://127.0.0.1:8000/v1, or leave out --verify.`,
    })
  const engine = connectEngine({
    ...endpoint,
    apiKey: settings['engine.api-key'],
    hubUrl: settings['engine.hub-url'],
    modelDir: settings['engine.model-dir'],
    cacheDir,
    clock: deps.clock,
    log: deps.log,
  })
  try {
    await withDeadline(deps.clock, 'the reference engine', ENGINE_TIMEOUT_MS, deps.signal, (signal) =>
      engine.whenReady(signal),
    )
  } catch (cause) {
    await engine.close()
    if (deps.signal.aborted) throw cause
    const reason = engine.unreadyReason ?? 'it did not answer in time'
    throw new TargonError(
      `The reference engine of ${model} is not ready: ${reason.replace(/\.$/, '')}.`,
      {
        code: 'ENGINE_UNAVAILABLE',
        fault: 'upstream',
        next: `Check ${endpoint.urls.join(', ')}, or leave out --verify.`,
      },
      { cause },
    )
  }
  return {
    engine,
    rules: settings['verification.rules'],
    burst: burstRuleOf(settings['verification.burst']),
    close: () => engine.close(),
  }
}
