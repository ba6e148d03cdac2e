import { z } from 'zod'
import { type Clock, Turns, withScopedSignal } from '../kernel/index.js'
import type { EngineDiscovery } from './engine-discovery.js'
import { engineError } from './engine-error.js'
import type { ReplicaPool } from './replica-pool.js'
import { ScoreBatches } from './score-batches.js'
import { readScoring } from './scoring-bytes.js'
import { scoringBody } from './scoring-call.js'
import type { Reference, ReferenceEngine, ScoreRequest, ScoringWork } from './types.js'

type EngineCalls = Pick<
  ReferenceEngine,
  'tokenizeChat' | 'tokenizeText' | 'detokenize' | 'score' | 'generate'
> & { readonly scoringWork: () => ScoringWork }

const TEXT_TIMEOUT_MS = 15_000

const tokensSchema = z.object({ tokens: z.array(z.number().int().min(0)) })
const promptSchema = z.object({ prompt: z.string() })
const usage = z
  .object({ completion_tokens: z.number().int().min(0).max(1e6) })
  .nullish()
  .catch(undefined)
const chatSchema = z
  .object({ choices: z.tuple([z.object({ message: z.object({ content: z.string() }) })]), usage })
  .transform(({ choices: [choice], usage }) => ({ text: choice.message.content, usage }))
const completionSchema = z
  .object({ choices: z.tuple([z.object({ text: z.string() })]), usage })
  .transform(({ choices: [choice], usage }) => ({ text: choice.text, usage }))

/** Fewer tokens say more about the wait than about the speed. */
const LEAST_TOKENS = 8
/** What a slower generation leaves of a faster one: a busy engine is not a slow one. */
const KEPT_SPEED = 0.95

/** How fast an engine generates, from its own answers. */
export class GenerationSpeed {
  tokensPerSecond: number | undefined

  note(tokens: number | undefined, ms: number): void {
    if (tokens === undefined || tokens < LEAST_TOKENS || ms <= 0) return
    this.tokensPerSecond = Math.max((tokens * 1000) / ms, KEPT_SPEED * (this.tokensPerSecond ?? 0))
  }
}

export interface CallParts {
  readonly model: string
  readonly pool: Pick<ReplicaPool, 'call'>
  readonly discovery: EngineDiscovery
  readonly scoringTimeoutMs: number
  /** Scoring calls that its servers take at once. */
  readonly parallelCalls: number
  readonly closing: AbortSignal
  readonly clock: Clock
  /** Told how fast texts are generated. */
  readonly speed: GenerationSpeed
}

/** The calls of a reference engine; each goes to a server of the pool, until it ends or the engine is `closing`. */
export function createCalls(parts: CallParts): EngineCalls {
  const { model, pool, discovery, closing, clock, speed } = parts
  const callText = async <T>(
    path: string,
    body: Record<string, unknown>,
    schema: z.ZodType<T>,
    signal: AbortSignal,
  ): Promise<T> =>
    withScopedSignal([signal, closing], (own) =>
      pool.call(own, async ({ server }) => {
        const response = await server.post(path, { model, ...body }, { timeoutMs: TEXT_TIMEOUT_MS, signal })
        const parsed = schema.safeParse(response)
        if (parsed.success) return parsed.data
        const message = `${server.url}${path} returned an unexpected response; is this vLLM?`
        throw engineError('ENGINE_ANSWER', message)
      }),
    )

  // An answer of 500 tokens takes several milliseconds to read.
  const turns = new Turns(1)
  const batches = new ScoreBatches({
    maxCalls: parts.parallelCalls,
    keyOf: ({ topK, temperature }) => {
      const { dialect, scaledLogprobs } = discovery.requireFacts()
      if (dialect !== 'v1') return undefined
      return scaledLogprobs ? `${topK} ${temperature}` : String(topK)
    },
    send: (requests, signal) =>
      withScopedSignal([signal, closing], (own) => scoreAnswers(parts, requests, turns, own)),
  })

  return {
    tokenizeChat: async (messages, signal) => {
      const body = { messages, add_generation_prompt: true, add_special_tokens: false }
      return (await callText('/tokenize', body, tokensSchema, signal)).tokens
    },
    tokenizeText: async (prompt, signal, { addSpecialTokens = true } = {}) => {
      const body = { prompt, add_special_tokens: addSpecialTokens }
      return (await callText('/tokenize', body, tokensSchema, signal)).tokens
    },
    detokenize: async (tokens, signal) =>
      tokens.length === 0 ? '' : (await callText('/detokenize', { tokens }, promptSchema, signal)).prompt,
    score: async (request, signal) => {
      // Throws before a server is called when none was admitted yet.
      discovery.requireFacts()
      const reference = await batches.score(request, signal)
      // Answers that shared a call have their references at once; each verdict is then made in a turn of its own.
      await turns.next()
      return reference
    },
    scoringWork: () => batches.work,
    generate: async ({ messages, maxTokens, temperature }, signal) => {
      const sampling = { max_tokens: maxTokens, temperature }
      const startedMs = clock.monotonic()
      const { text, usage } = discovery.requireFacts().endpoints.includes('chat')
        ? await callText('/v1/chat/completions', { messages, ...sampling }, chatSchema, signal)
        : await callText(
            '/v1/completions',
            { prompt: messages.map(({ content }) => content).join('\n\n'), ...sampling },
            completionSchema,
            signal,
          )
      speed.note(usage?.completion_tokens, clock.monotonic() - startedMs)
      return text
    },
  }
}

async function scoreAnswers(
  { model, pool, discovery, scoringTimeoutMs }: CallParts,
  requests: readonly ScoreRequest[],
  turns: Turns,
  signal: AbortSignal,
): Promise<Reference[]> {
  return await pool.call(signal, async ({ server }) => {
    // Read here, because the server may have been identified again for this call.
    const { dialect, maxLogprobs } = discovery.requireFacts()
    const [first, ...others] = requests.map((one) => ({ ...one, topK: Math.min(one.topK, maxLogprobs) }))
    if (!first) return []
    const body = scoringBody(model, [first, ...others], dialect)
    const bytes = await server.postBytes('/v1/completions', body, { timeoutMs: scoringTimeoutMs, signal })
    const references: Reference[] = []
    for (const read of readScoring(bytes, [first, ...others])) {
      await turns.next()
      references.push(read())
    }
    return references
  })
}
