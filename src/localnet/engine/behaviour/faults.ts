/** What can go wrong with a validator's own engine: failures, not cheating. */
const CATALOGUE = {
  'out-of-memory': 'the next scoring call kills the engine, which then stays `dead`',
  dead: 'the server is up but its engine has died: every generation and tokenizer call returns 500, /health returns 503 (500 in `v0`)',
  unreachable: 'every connection is reset',
  hang: 'generation and tokenizer calls are accepted but never answered; /health returns 200',
  'garbage-json': 'returns status 200 with a body that is not JSON',
  'cut-json': 'returns status 200 with truncated JSON',
  'error-in-stream': 'a stream (status 200) ends with an error event after five tokens',
  'missing-logprobs': 'scoring calls return no prompt_logprobs',
} as const satisfies Record<string, string>

export type EngineFault = keyof typeof CATALOGUE

export const ENGINE_FAULTS = Object.keys(CATALOGUE) as readonly EngineFault[]

/** One line per fault, as the documentation lists them. */
export const FAULT_SUMMARIES: Readonly<Record<EngineFault, string>> = CATALOGUE
