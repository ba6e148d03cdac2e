import type { ServerResponse } from 'node:http'

/** A refusal in the shape OpenAI clients read; `vLLM` and `openai` agree on it. */
export function writeOpenAiError(
  response: ServerResponse,
  status: number,
  error: { readonly message: string; readonly type: string; readonly code: string; readonly param?: string },
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent || response.destroyed) return
  const body = JSON.stringify({ error: { param: null, ...error } })
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  })
  response.end(body)
}
