import { type Clock, systemClock } from '../../../src/kernel/clock.js'
import {
  type DevelopmentEngine,
  type DevelopmentEngineOptions,
  startDevelopmentEngine,
} from '../../../src/localnet/engine/index.js'

export const MODEL = 'targon-dev/small-a'

/** biome-ignore lint/suspicious/noExplicitAny: tests read arbitrary fields of responses */
export type Json = any

/** A running engine and calls to it. */
export interface EngineClient {
  readonly engine: DevelopmentEngine
  get(path: string): Promise<{ status: number; text: string; json: Json }>
  post(path: string, body: object, init?: RequestInit): Promise<{ status: number; text: string; json: Json }>
  /** The parsed events of a stream, without [DONE]. */
  stream(path: string, body: object): Promise<Json[]>
}

const engines: DevelopmentEngine[] = []

export async function startEngine(
  options: Partial<DevelopmentEngineOptions> = {},
  clock: Clock = systemClock,
): Promise<EngineClient> {
  const engine = await startDevelopmentEngine({ port: 0, models: [MODEL], ...options }, { clock })
  engines.push(engine)
  const call = async (path: string, init?: RequestInit) => {
    const response = await fetch(engine.url + path, init)
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json')
    return { status: response.status, text, json: isJson ? JSON.parse(text) : undefined }
  }
  const post = (path: string, body: object, init?: RequestInit) =>
    call(path, { method: 'POST', body: JSON.stringify(body), ...init })
  return {
    engine,
    get: (path) => call(path),
    post,
    async stream(path, body) {
      const { text } = await post(path, { ...body, stream: true })
      const events = text.split('\n\n').filter((event) => event !== '')
      if (events.pop() !== 'data: [DONE]') throw new Error(`no end: ${text.slice(-200)}`)
      return events.map((event) => JSON.parse(event.slice('data: '.length)))
    },
  }
}

/** For afterEach. */
export async function closeEngines(): Promise<void> {
  for (const engine of engines.splice(0)) await engine.close()
}

export const question = (content: string) => [{ role: 'user', content }]

/** Ids, logprobs and text of a chat stream requested with ids. */
export function readChatStream(events: readonly Json[]) {
  const entries = events.flatMap((event) => event.choices[0]?.logprobs?.content ?? [])
  return {
    ids: entries.map((entry) => Number(entry.token.slice('token_id:'.length))),
    logprobs: entries.map((entry) => entry.logprob as number),
    text: events.map((event) => event.choices[0]?.delta?.content ?? '').join(''),
    finish: events.map((event) => event.choices[0]?.finish_reason).find((reason) => reason),
  }
}
