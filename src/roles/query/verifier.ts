import type { QuerySettings } from '../../config/index.js'
import type { ReferenceEngine } from '../../engine/index.js'
import { type BurstRule, burstRuleOf } from '../../inference/index.js'
import { type Clock, TargonError } from '../../kernel/index.js'
import type { RuleSet } from '../../verification/index.js'
import type { RoleDeps } from '../role.js'

/** What an answer is verified with. */
export interface Verifier {
  readonly engine: ReferenceEngine
  readonly rules: RuleSet
  /** When tokens count as generated before they were streamed; null disables the check. */
  readonly burst: BurstRule | null
}

export interface OpenVerifier extends Verifier {
  close(): Promise<void>
}

/**
 * Connects to the reference engine of a model and waits until it is ready.
 *
 * @throws TargonError REFERENCE_ENGINE_MISSING (usage), ENGINE_UNAVAILABLE (upstream)
 */
export async function openVerifier(
  settings: QuerySettings,
  model: string,
  cacheDir: string,
  deps: { readonly clock: Clock; readonly log: RoleDeps['log']; readonly signal: AbortSignal },
): Promise<OpenVerifier> {
  const { openReadyEngine, parseEngineEndpoints } = await import('../../engine/index.js')
  const endpoint = parseEngineEndpoints(settings['engine.endpoints']).find((entry) => entry.model === model)
  if (!endpoint)
    throw new TargonError(`--verify needs a reference engine for ${model}, but none is configured.`, {
      code: 'REFERENCE_ENGINE_MISSING',
      fault: 'usage',
      next: `Set --engine.endpoints ${model}=http://127.0.0.1:8000/v1, or omit --verify.`,
    })
  const engine = await openReadyEngine(
    {
      ...endpoint,
      apiKey: settings['engine.api-key'],
      hubUrl: settings['engine.hub-url'],
      modelDir: settings['engine.model-dir'],
      cacheDir,
      clock: deps.clock,
      log: deps.log,
    },
    '--verify',
    deps.signal,
  )
  return {
    engine,
    rules: settings['verification.rules'],
    burst: burstRuleOf(settings['verification.burst']),
    close: () => engine.close(),
  }
}
