import type { Job } from '../generation/index.js'
import type { Tokenizer } from '../language/index.js'

/** vLLM clamps what it reports of single tokens (serving_chat.py: max(logprob, -9999.0)). */
export function clampLogprob(logprob: number): number {
  return Math.max(logprob, -9999)
}

/** How a token is called in an answer: its text, or `token_id:N`. */
export function nameToken(id: number, job: Job, tokenizer: Tokenizer): string {
  return job.tokensAsIds ? `token_id:${id}` : tokenizer.textOf(id)
}
