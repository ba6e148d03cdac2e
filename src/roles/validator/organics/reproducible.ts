import { isDeepStrictEqual } from 'node:util'

/**
 * Members of a user's request that change the prompt or what an honest server samples, with the values that change nothing.
 * The reference engine scores the plain prompt, so an honest answer to any other value would fail. top_p, top_k and min_p are
 * not here: the checks allow for truncated sampling.
 */
const NEUTRAL: Readonly<Record<string, readonly unknown[]>> = {
  tools: [[]],
  functions: [[]],
  tool_choice: ['none'],
  function_call: ['none'],
  response_format: [{ type: 'text' }],
  structured_outputs: [],
  guided_json: [],
  guided_regex: [],
  guided_choice: [],
  guided_grammar: [],
  logit_bias: [{}],
  bad_words: [[]],
  allowed_token_ids: [],
  presence_penalty: [0],
  frequency_penalty: [0],
  repetition_penalty: [1],
  stop: [[], ''],
  stop_token_ids: [[]],
  min_tokens: [0],
  ignore_eos: [false],
  use_beam_search: [false],
  n: [1],
  best_of: [1],
  echo: [false],
  suffix: [''],
  chat_template: [],
  chat_template_kwargs: [{}],
  documents: [[]],
  reasoning_effort: [],
  add_generation_prompt: [true],
  continue_final_message: [false],
  truncate_prompt_tokens: [],
}

/** Whether the reference engine can judge answers to this request. */
export function isReproducible(request: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(request).every(([member, value]) => {
    const neutral = Object.hasOwn(NEUTRAL, member) ? NEUTRAL[member] : undefined
    return value === null || !neutral || neutral.some((one) => isDeepStrictEqual(one, value))
  })
}

/** Values that switch a cut off; a member that is missing leaves it to the server. Penalties are neutral, or nothing is judged. */
const NO_CUTS: Readonly<Record<string, readonly unknown[]>> = { top_p: [1], top_k: [-1, 0], min_p: [0] }

/** Whether the request itself says that the server draws from whole distributions. */
export function rulesOutCuts(request: Readonly<Record<string, unknown>>): boolean {
  const states = (member: string) => request[member] !== undefined && request[member] !== null
  return (
    Object.entries(NO_CUTS).every(([member, values]) => values.includes(request[member])) &&
    // A model's generation_config.json may have one.
    states('repetition_penalty')
  )
}
