import { type Clock, messageOf } from '../kernel/index.js'
import { type Persona, personaText, pickPersona } from './persona.js'
import { QUESTIONS } from './questions.js'
import type { Random } from './random.js'

/** Structurally an InferenceRequest of inference/, which prompts/ does not import. */
export type SyntheticRequest = {
  readonly model: string
  readonly seed: number
  readonly temperature: number
  readonly maxTokens: number
} & (
  | {
      readonly endpoint: 'chat'
      readonly messages: readonly { readonly role: 'system' | 'user'; readonly content: string }[]
    }
  | { readonly endpoint: 'completion'; readonly prompt: string }
)

/** What of an engine is used to rewrite a question; a ReferenceEngine fits. */
export interface QuestionWriter {
  generate(
    request: {
      messages: readonly { role: 'system' | 'user'; content: string }[]
      maxTokens: number
      temperature: number
    },
    signal: AbortSignal,
  ): Promise<string>
}

/** Where questions come from; without one, or when it gives '', the bundled set is used. */
export interface QuestionSource {
  nextQuestion(signal: AbortSignal): Promise<string>
}

export interface PromptOptions {
  readonly model: string
  readonly endpoints: readonly ('chat' | 'completion')[]
  readonly maxTokens: { readonly min: number; readonly max: number }
  readonly random: Random
  readonly clock: Clock
  readonly engine?: QuestionWriter
  readonly questions?: QuestionSource
  /** 4.4.1 sends every miner of a round the same request; anything else lets one card answer for many hotkeys. */
  readonly sameForAll?: boolean
  /** Told why a question was not rewritten or came from the bundled set. */
  readonly onFallback?: (reason: string) => void
}

/** What a round asks: one question, endpoint, temperature and length; persona and seed per miner. */
export interface RoundPrompt {
  readonly question: string
  readonly endpoint: 'chat' | 'completion'
  readonly temperature: number
  readonly maxTokens: number
  /** The request of one miner; the same key gives the same request. */
  forMiner(key: string): SyntheticRequest
}

const SEED = { min: 10_000, max: 10_000_000 }
const REWRITE = { tokens: { min: 16, max: 64 }, temperature: 0.5 }
const QUESTION_LENGTH = 2_000

/** Draws the request of a round as 4.4.1 targon/request.py does. Repeats under the same `random`. */
export async function makePrompt(options: PromptOptions, signal: AbortSignal): Promise<RoundPrompt> {
  const { random, model } = options
  const endpoint = random.pick(options.endpoints)
  const temperature = random.next()
  const maxTokens = random.integer(options.maxTokens.min, options.maxTokens.max)
  const bundled = random.pick(QUESTIONS)
  const rewriteTokens = random.integer(REWRITE.tokens.min, REWRITE.tokens.max)
  const miners = random.fork(String(random.next()))
  const today = new Date(options.clock.now())
  const question = await rewrite(await draw(options, bundled, signal), rewriteTokens, options, signal)

  return {
    question,
    endpoint,
    temperature,
    maxTokens,
    forMiner: (key) => {
      const own = miners.fork(options.sameForAll ? '' : key)
      const seed = own.integer(SEED.min, SEED.max)
      return { model, seed, temperature, maxTokens, ...content(endpoint, pickPersona(own), today, question) }
    },
  }
}

function content(endpoint: 'chat' | 'completion', persona: Persona, today: Date, question: string) {
  const system = personaText(persona, today)
  return endpoint === 'completion'
    ? ({ endpoint, prompt: `${system}\n\n${question}` } as const)
    : ({
        endpoint,
        messages: [
          { role: 'system', content: system },
          { role: 'user', content: question },
        ],
      } as const)
}

async function draw(
  { questions, onFallback }: PromptOptions,
  bundled: string,
  signal: AbortSignal,
): Promise<string> {
  if (!questions) return bundled
  try {
    const question = (await questions.nextQuestion(signal)).trim().slice(0, QUESTION_LENGTH)
    return question === '' ? bundled : question
  } catch (error) {
    signal.throwIfAborted()
    onFallback?.(`bundled question used: ${messageOf(error)}`)
    return bundled
  }
}

/** A search query made from the question by the engine: no list of questions gives away what is asked. */
async function rewrite(
  question: string,
  maxTokens: number,
  { engine, onFallback }: PromptOptions,
  signal: AbortSignal,
): Promise<string> {
  if (!engine) return question
  try {
    const messages = [
      {
        role: 'system',
        content: 'Rewrite the question as a short search query. Answer with the query alone.',
      },
      { role: 'user', content: question },
    ] as const
    const text = await engine.generate({ messages, maxTokens, temperature: REWRITE.temperature }, signal)
    const query = text.trim().slice(0, QUESTION_LENGTH)
    return query === '' ? question : query
  } catch (error) {
    signal.throwIfAborted()
    onFallback?.(`question not rewritten: ${messageOf(error)}`)
    return question
  }
}
