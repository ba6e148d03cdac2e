import { Agent, request } from 'undici'
import {
  type Clock,
  DeadlineError,
  isJsonObject,
  messageOf,
  TargonError,
  withDeadline,
} from '../kernel/index.js'
import { engineError, engineKeyError } from './engine-error.js'

/** Largest response read: the prompt_logprobs of a long prompt are a few megabytes. */
const RESPONSE_LIMIT_BYTES = 64 * 1024 * 1024
const ERROR_TEXT_LENGTH = 300

export interface CallOptions {
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** HTTP to one vLLM server: JSON in, JSON out, bounded in time and size, with faults classified. */
export class EngineServer {
  readonly #agent = new Agent({ connections: 32, keepAliveTimeout: 10_000, connect: { timeout: 5_000 } })

  constructor(
    readonly url: string,
    private readonly apiKey: string | undefined,
    private readonly clock: Clock,
  ) {}

  /** @throws TargonError ENGINE_UNAVAILABLE, ENGINE_REFUSED (4xx), ENGINE_ANSWER (not JSON) */
  async post(path: string, body: unknown, options: CallOptions): Promise<unknown> {
    return parseJson(this.url + path, decode(await this.postBytes(path, body, options)))
  }

  /** The body of the response as it was sent. @throws TargonError ENGINE_UNAVAILABLE, ENGINE_REFUSED (4xx) */
  async postBytes(path: string, body: unknown, options: CallOptions): Promise<Buffer> {
    return await this.#call('POST', path, JSON.stringify(body), options)
  }

  async getJson(path: string, options: CallOptions): Promise<unknown> {
    return parseJson(this.url + path, await this.getText(path, options))
  }

  async getText(path: string, options: CallOptions): Promise<string> {
    return decode(await this.#call('GET', path, undefined, options))
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #call(method: 'GET' | 'POST', path: string, body: string | undefined, options: CallOptions) {
    const what = `${method} ${this.url}${path}`
    try {
      return await withDeadline(this.clock, what, options.timeoutMs, options.signal, async (signal) => {
        const response = await request(this.url + path, {
          method,
          signal,
          dispatcher: this.#agent,
          headersTimeout: options.timeoutMs,
          bodyTimeout: options.timeoutMs,
          headers: {
            accept: 'application/json',
            'accept-encoding': 'identity',
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            ...(this.apiKey === undefined ? {} : { authorization: `Bearer ${this.apiKey}` }),
          },
          ...(body === undefined ? {} : { body }),
        })
        const bytes = await readLimited(what, response.body)
        if (response.statusCode !== 200) throw this.#statusError(what, response.statusCode, decode(bytes))
        return bytes
      })
    } catch (error) {
      if (options.signal.aborted) throw options.signal.reason
      if (error instanceof TargonError && !(error instanceof DeadlineError)) throw error
      throw engineError('ENGINE_UNAVAILABLE', `${what} failed: ${messageOf(error)}`, {}, { cause: error })
    }
  }

  /** A 4xx is about this request, except for keys and rate limits; a 5xx is about the server (out of memory, dead engine). */
  #statusError(what: string, status: number, text: string): TargonError {
    const message = `${what} returned ${status}: ${errorText(text)}`
    if (status === 401 || status === 403) return engineKeyError(message, status, this.apiKey !== undefined)
    const isAboutServer = status === 408 || status === 429
    const code = status >= 400 && status < 500 && !isAboutServer ? 'ENGINE_REFUSED' : 'ENGINE_UNAVAILABLE'
    return engineError(code, message, { status })
  }
}

async function readLimited(what: string, body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > RESPONSE_LIMIT_BYTES) {
      throw engineError('ENGINE_ANSWER', `${what} returned more than ${RESPONSE_LIMIT_BYTES} bytes.`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function decode(bytes: Buffer): string {
  return bytes.toString('utf8')
}

/** vLLM 0.6.x sends `{message}`, later versions `{error: {message}}`, and `{error: text}` where the key is missing. */
function errorText(text: string): string {
  let message = text
  try {
    const body: unknown = JSON.parse(text)
    if (isJsonObject(body)) {
      const inner = isJsonObject(body.error) ? body.error.message : (body.message ?? body.error)
      if (typeof inner === 'string') message = inner
    }
  } catch {
    // Not JSON: the text is shown unchanged.
  }
  return message.slice(0, ERROR_TEXT_LENGTH)
}

function parseJson(url: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw engineError('ENGINE_ANSWER', `${url} did not return JSON; is this vLLM?`, {}, { cause: error })
  }
}
