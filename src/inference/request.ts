import type { Endpoint, InferenceRequest } from './types.js'

/** Path of an endpoint on a miner. */
export function pathOf(endpoint: Endpoint): string {
  return endpoint === 'chat' ? '/v1/chat/completions' : '/v1/completions'
}

/**
 * The JSON body of a request, with the fields in the order of 4.4.1. Exactly these bytes are hashed, signed and sent.
 * `logprobs` is `true` on both routes: vLLM reads it as 1 for completions.
 */
export function encodeRequest(request: InferenceRequest): Uint8Array {
  const { seed, maxTokens, temperature, model } = request
  const prompt = request.endpoint === 'chat' ? { messages: request.messages } : { prompt: request.prompt }
  const body = {
    ...(seed === undefined ? {} : { seed }),
    max_tokens: maxTokens,
    temperature,
    model,
    stream: true,
    logprobs: true,
    ...prompt,
  }
  return Buffer.from(JSON.stringify(body), 'utf8')
}
