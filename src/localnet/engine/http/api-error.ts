import { STATUS_CODES } from 'node:http'
import type { Dialect } from '../options.js'

/** An error response, worded as vLLM words it. */
export class ApiError extends Error {
  readonly status: number
  readonly type: string

  constructor(status: number, message: string, type = typeOf(status)) {
    super(message)
    this.status = status
    this.type = type
  }
}

function typeOf(status: number): string {
  return `${(STATUS_CODES[status] ?? 'Internal Server Error').replaceAll(' ', '')}${status < 500 ? 'Error' : ''}`
}

/** Flat in 0.6.2, nested in current servers (vllm entrypoints/openai/protocol.py ErrorResponse). */
export function errorBody(error: ApiError, dialect: Dialect): object {
  const { message, type, status: code } = error
  return dialect === 'v0'
    ? { object: 'error', message, type, param: null, code }
    : { error: { message, type, param: null, code } }
}
