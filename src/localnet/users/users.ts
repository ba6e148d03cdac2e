import OpenAI from 'openai'
import { type Clock, messageOf, withScopedSignal } from '../../kernel/index.js'
import { type UserRequest, userRequest } from './user-request.js'

export interface UsersOptions {
  /** Base URL of the hub, without `/v1`. */
  readonly hubUrl: string
  readonly apiKey: string
  readonly seed: string
  /** Models they ask for, each as often. */
  readonly models: readonly string[]
  /** Users that ask at the same time. */
  readonly concurrent: number
}

export interface UserCounts {
  readonly answered: number
  readonly failed: number
  /** Chunks with text. */
  readonly tokens: number
  /** Answers by the uid of the miner. */
  readonly byMiner: Readonly<Record<string, number>>
  /** Why the last failed request failed. */
  readonly lastFailure: string | undefined
}

export interface Users {
  counts(): UserCounts
  /** Resolves when the signal has aborted and every user has stopped. */
  readonly done: Promise<void>
}

/** After a failure users wait a moment, as the hub may be starting. */
const FAILURE_PAUSE_MS = 1000
const TIMEOUT_MS = 60_000

/** Users that ask the hub one question after the other until the signal aborts. A failed request is counted, not thrown. */
export function runUsers(
  options: UsersOptions,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Users {
  const client = new OpenAI({
    apiKey: options.apiKey,
    baseURL: `${options.hubUrl}/v1`,
    maxRetries: 0,
    timeout: TIMEOUT_MS,
  })
  const byMiner: Record<string, number> = {}
  let [number, answered, failed, tokens] = [0, 0, 0, 0]
  let lastFailure: string | undefined

  const ask = async (request: UserRequest, inner: AbortSignal) => {
    const { data, response } = await send(client, request, inner)
    for await (const text of data) if (text !== '') tokens++
    const uid = response.headers.get('x-targon-miner-uid') ?? 'none'
    byMiner[uid] = (byMiner[uid] ?? 0) + 1
    answered++
  }
  const work = async () => {
    while (!signal.aborted) {
      const request = userRequest(options.seed, number++, options.models)
      let { pauseMs } = request
      await withScopedSignal(signal, (inner) => ask(request, inner)).catch((error: unknown) => {
        if (signal.aborted) return
        failed++
        lastFailure = messageOf(error)
        pauseMs = FAILURE_PAUSE_MS
      })
      await clock.sleep(pauseMs, signal).catch(() => {})
    }
  }
  const done = Promise.all(Array.from({ length: options.concurrent }, work)).then(() => {})
  return { counts: () => ({ answered, failed, tokens, byMiner: { ...byMiner }, lastFailure }), done }
}

/** @returns the texts of the chunks as they arrive. */
async function send(client: OpenAI, request: UserRequest, signal: AbortSignal) {
  const { route, model, text, maxTokens, temperature } = request
  const common = {
    ...{ model, max_tokens: maxTokens, stream: true as const },
    ...(temperature === undefined ? {} : { temperature }),
  }
  if (route === 'completion') {
    const answer = await client.completions.create({ ...common, prompt: text }, { signal }).withResponse()
    return { response: answer.response, data: map(answer.data, (chunk) => chunk.choices[0]?.text ?? '') }
  }
  const messages = [{ role: 'user' as const, content: text }]
  const answer = await client.chat.completions.create({ ...common, messages }, { signal }).withResponse()
  return {
    response: answer.response,
    data: map(answer.data, (chunk) => chunk.choices[0]?.delta.content ?? ''),
  }
}

async function* map<T>(items: AsyncIterable<T>, read: (item: T) => string): AsyncGenerator<string> {
  for await (const item of items) yield read(item)
}
