import type { IncomingMessage, ServerResponse } from 'node:http'
import { ApiError } from './api-error.js'
import type { EngineState } from './engine-state.js'

/** The routes that need the engine behind the server. */
const ENGINE_ROUTES = /^\/(v1\/(chat\/)?completions|tokenize|detokenize)$/

/** Applies a fault that does not depend on the request's body. @returns whether the request has been handled. */
export function applyFault(
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
  if (!ENGINE_ROUTES.test(path)) return false
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

/** @throws ApiError 500 with the fault `out-of-memory`, which turns into `dead` */
export function failScoring(state: EngineState): void {
  if (state.fault !== 'out-of-memory') return
  state.fault = 'dead'
  throw new ApiError(500, 'CUDA out of memory. Tried to allocate 2.41 GiB.', 'Internal Server Error')
}

export function deadEngine(): ApiError {
  return new ApiError(500, 'EngineCore encountered an issue. See stack trace (above) for the root cause.')
}
