import { isDescriptorShortage, RAISE_DESCRIPTOR_LIMIT, TargonError } from '../kernel/index.js'

export type EngineErrorCode = 'ENGINE_UNAVAILABLE' | 'ENGINE_ANSWER' | 'ENGINE_REFUSED'

const NEXT: Record<EngineErrorCode, string> = {
  ENGINE_UNAVAILABLE:
    'Check that the vLLM server of this model is running and has memory left; it is retried automatically.',
  ENGINE_ANSWER:
    'Check that the URL is a vLLM server of this model, and compare its version with docs/verification.md.',
  ENGINE_REFUSED: 'Check the limits of the vLLM server (--max-logprobs, --max-model-len).',
}

/**
 * The engine is down, answered nonsense, or refused a call (which a miner's token ids may have caused). Our own lack of file
 * descriptors, as the cause, is not the engine's fault.
 */
export function engineError(
  code: EngineErrorCode,
  message: string,
  facts: Readonly<Record<string, unknown>> = {},
  options?: ErrorOptions,
): TargonError {
  const isOurs = isDescriptorShortage(options?.cause)
  const next = isOurs ? RAISE_DESCRIPTOR_LIMIT : NEXT[code]
  return new TargonError(message, { code, fault: isOurs ? 'runtime' : 'upstream', next, facts }, options)
}

/** The server wants another key. vLLM checks it under /v1 only, so that other calls may have succeeded. */
export function engineKeyError(message: string, status: number, hasKey: boolean): TargonError {
  const why = hasKey
    ? 'It does not accept the key in TARGON_ENGINE_API_KEY'
    : 'TARGON_ENGINE_API_KEY is not set'
  return new TargonError(`${message}. ${why}.`, {
    code: 'ENGINE_UNAVAILABLE',
    fault: 'upstream',
    next: 'Set TARGON_ENGINE_API_KEY to the key that the vLLM server was started with (--api-key or VLLM_API_KEY).',
    facts: { status },
  })
}

/** A file of a model's repository is missing or unreadable. The engine's servers are not involved. */
export function hubError(
  message: string,
  options?: ErrorOptions,
  next = 'Check --engine.hub-url and the network, or provide the files with --engine.model-dir.',
): TargonError {
  return new TargonError(
    message,
    {
      code: 'ENGINE_UNAVAILABLE',
      fault: 'upstream',
      next,
    },
    options,
  )
}

export function isEngineError(error: unknown, code: EngineErrorCode): error is TargonError {
  return error instanceof TargonError && error.code === code
}
