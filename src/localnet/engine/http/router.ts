import type { IncomingMessage, ServerResponse } from 'node:http'
import type { z } from 'zod'
import { isAbort } from '../../../kernel/index.js'
import { answerJob } from './answer.js'
import { ApiError, errorBody } from './api-error.js'
import type { EngineState } from './engine-state.js'
import { applyFault } from './faults.js'
import { checkModel, encodeMessages, readChat, readCompletion } from './job-reader.js'
import { hubFile, listModels } from './model-documents.js'
import { describeIssues, schemasOf } from './request-schema.js'

const MAX_BODY_BYTES = 32 * 1024 * 1024
const VERSION = { v0: '0.6.2', v1: '0.11.0' } as const
const HUB_PATH = /^\/([^/]+\/[^/]+)\/resolve\/main\/([\w.-]+)$/

/** Answers one HTTP request as vLLM would. Never rejects. */
export async function route(
  request: IncomingMessage,
  response: ServerResponse,
  state: EngineState,
  signal: AbortSignal,
): Promise<void> {
  try {
    await dispatch(request, response, state, signal)
  } catch (error) {
    if (response.headersSent || response.destroyed || isAbort(error) || signal.aborted) {
      response.destroy()
      return
    }
    const known = error instanceof ApiError ? error : new ApiError(500, 'Internal server error')
    sendJson(response, known.status, errorBody(known, state.dialect))
  }
}

async function dispatch(
  request: IncomingMessage,
  response: ServerResponse,
  state: EngineState,
  signal: AbortSignal,
): Promise<void> {
  const path = pathOf(request)
  if (applyFault(request, response, path, state)) return
  if (path.startsWith('/v1') && state.apiKey !== undefined) {
    if (request.headers.authorization !== `Bearer ${state.apiKey}`) {
      return sendJson(response, 401, { error: 'Unauthorized' })
    }
  }
  const schemas = schemasOf(state.dialect)
  switch (`${request.method} ${path}`) {
    case 'GET /health':
      return void response.writeHead(200).end()
    case 'GET /version':
      return sendJson(response, 200, { version: VERSION[state.dialect] })
    case 'GET /v1/models':
      return sendJson(response, 200, listModels(state))
    case 'GET /metrics':
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
      return void response.end(await state.metrics.render())
    case 'POST /v1/completions': {
      const body = parse(schemas.completion, await readBody(request))
      state.nextRequest += 1
      return await answerJob(readCompletion(body, state), state, response, signal)
    }
    case 'POST /v1/chat/completions': {
      const body = parse(schemas.chat, await readBody(request))
      state.nextRequest += 1
      return await answerJob(readChat(body, state), state, response, signal)
    }
    case 'POST /tokenize':
      return sendJson(response, 200, tokenize(await readBody(request), state))
    case 'POST /detokenize': {
      const body = parse(schemas.detokenize, await readBody(request))
      checkModel(body.model, state)
      return sendJson(response, 200, { prompt: detokenize(body.tokens, state) })
    }
    default:
      return sendHubFile(request, response, path, state)
  }
}

function tokenize(text: string, state: EngineState): object {
  const schemas = schemasOf(state.dialect)
  const isChat = /"messages"\s*:/.test(text) && !/"prompt"\s*:/.test(text)
  const body = isChat ? parse(schemas.tokenizeChat, text) : parse(schemas.tokenizeText, text)
  checkModel(body.model, state)
  const tokens =
    'messages' in body
      ? encodeMessages(body.messages, body, state)
      : state.tokenizer.encode(body.prompt, { bos: body.add_special_tokens !== false })
  const token_strs = body.return_token_strs ? tokens.map((id) => state.tokenizer.textOf(id)) : null
  return {
    count: tokens.length,
    max_model_len: state.maxModelLen,
    tokens,
    ...(state.dialect === 'v1' ? { token_strs } : {}),
  }
}

function detokenize(ids: readonly number[], state: EngineState): string {
  const outside = ids.find((id) => id >= state.tokenizer.size)
  if (outside !== undefined) throw new ApiError(400, `Token id ${outside} is out of vocabulary`)
  return state.tokenizer.decode(ids)
}

function sendHubFile(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  state: EngineState,
): void {
  const [, model, name] = HUB_PATH.exec(path) ?? []
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  const file = isRead && model && name && state.models.includes(model) ? hubFile(name, state) : undefined
  if (file) sendJson(response, 200, file)
  else sendJson(response, 404, { detail: 'Not Found' })
}

/** The decoded path of the request; '' when it is malformed. */
function pathOf(request: IncomingMessage): string {
  try {
    return decodeURIComponent(new URL(request.url ?? '/', 'http://engine').pathname)
  } catch {
    return ''
  }
}

/** @throws ApiError 400, with reasons in pydantic's style */
function parse<T>(schema: z.ZodType<T>, text: string): T {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new ApiError(400, 'body: JSON decode error')
  }
  const result = schema.safeParse(value)
  if (!result.success) throw new ApiError(400, describeIssues(result.error))
  return result.data
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY_BYTES) throw new ApiError(413, `The body is larger than ${MAX_BODY_BYTES} bytes.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
