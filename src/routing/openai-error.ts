/** An error in the shape that OpenAI, vLLM and their clients agree on. */
export interface OpenAiError {
  readonly message: string
  readonly type: string
  readonly code: string
  /** The member of the request at fault. */
  readonly param?: string
}

/** The members of a JSON body that reports the error. */
export function openAiError(error: OpenAiError): {
  readonly error: Required<Omit<OpenAiError, 'param'>> & { param: string | null }
} {
  return { error: { param: null, ...error } }
}

/** What OpenAI's clients tell kinds of errors apart by, besides the status. */
export function errorType(status: number): string {
  if (status === 401 || status === 403) return 'authentication_error'
  if (status === 429) return 'rate_limit_error'
  return status >= 500 ? 'server_error' : 'invalid_request_error'
}
