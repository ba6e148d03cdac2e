import { TargonError } from '../kernel/index.js'

export type EngineErrorCode = 'ENGINE_UNAVAILABLE' | 'ENGINE_ANSWER' | 'ENGINE_REFUSED'

const NEXT: Record<EngineErrorCode, string> = {
  ENGINE_UNAVAILABLE:
    'Check that the vLLM server of this model runs and has memory left; it is tried again by itself.',
  ENGINE_ANSWER:
    'Check that the address is a vLLM server of this model; compare its version with docs/verification.md.',
  ENGINE_REFUSED: 'Check the limits the server was started with (--max-logprobs, --max-model-len).',
}

/** A fault of the validator's own model server; never a miner's. */
export function engineError(
  code: EngineErrorCode,
  message: string,
  facts: Readonly<Record<string, unknown>> = {},
  options?: ErrorOptions,
): TargonError {
  return new TargonError(message, { code, fault: 'upstream', next: NEXT[code], facts }, options)
}

/** What is wanted of a model's repository cannot be had; the model servers have no part in it. */
export function hubError(message: string, options?: ErrorOptions): TargonError {
  return new TargonError(
    message,
    {
      code: 'ENGINE_UNAVAILABLE',
      fault: 'upstream',
      next: 'Check --engine.hub-url and the network, or give the files by --engine.model-dir.',
    },
    options,
  )
}

export function isEngineError(error: unknown, code: EngineErrorCode): error is TargonError {
  return error instanceof TargonError && error.code === code
}
