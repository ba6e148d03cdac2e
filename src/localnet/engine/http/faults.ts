import type { IncomingMessage, ServerResponse } from 'node:http'
import { ApiError } from './api-error.js'
import type { EngineState } from './engine-state.js'

const CATALOGUE = {
  'out-of-memory': 'the next scoring call kills the engine, which is then `dead`',
  dead: 'the server runs, the engine behind it has died: 500 on all work, and /health is 503 (500 in `v0`)',
  unreachable: 'every connection is reset',
  hang: 'generation and tokenizing are accepted and never answered; /health is well',
  'garbage-json': 'status 200 with a body that is no JSON',
  'cut-json': 'status 200 with JSON that stops in the middle',
  'error-in-stream': 'a stream breaks off after five tokens with an error event, status 200',
  'missing-logprobs': 'scoring calls answer without prompt_logprobs',
} as const satisfies Record<string, string>

/** What can go wrong with a validator's own engine; no malice in it. */
export type EngineFault = keyof typeof CATALOGUE

export const ENGINE_FAULTS = Object.keys(CATALOGUE) as readonly EngineFault[]

export const FAULT_SUMMARIES: Readonly<Record<EngineFault, string>> = CATALOGUE

const WORK = /^\/(v1\/(chat\/)?completions|tokenize|detokenize)$/

/** Acts out a fault that needs no knowledge of the request's body. Answers true when the request is dealt with. */
export function actOutFault(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  state: EngineState,
): boolean {
  if (state.fault === 'unreachable' || state.clock.monotonic() < state.readyAtMs) {
    request.socket.resetAndDestroy()
    return true
  }
  if (state.fault === 'dead' && path === '/health') {
    response.writeHead(state.dialect === 'v0' ? 500 : 503).end()
    return true
  }
  if (!WORK.test(path)) return false
  switch (state.fault) {
    case 'dead':
      throw deadEngine()
    case 'hang':
      return true
    case 'garbage-json':
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end('<html><body>upstream sent too big header</body></html>')
      return true
    case 'cut-json':
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end('{"id":"cmpl-1","choices":[{"index":')
      return true
    default:
      return false
  }
}

/** @throws ApiError 500 when scoring is what the engine dies of */
export function dieOfScoring(state: EngineState): void {
  if (state.fault !== 'out-of-memory') return
  state.fault = 'dead'
  throw new ApiError(500, 'CUDA out of memory. Tried to allocate 2.41 GiB.', 'Internal Server Error')
}

export function deadEngine(): ApiError {
  return new ApiError(500, 'EngineCore encountered an issue. See stack trace (above) for the root cause.')
}
