import { type Clock, messageOf } from '../kernel/index.js'
import { type Persona, personaText, pickPersona } from './persona.js'
import bundledQuestions from './questions.json' with { type: 'json' }
import type { Random } from './random.js'

/** Structurally an InferenceRequest of inference/, which this folder does not import. */
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

/** The part of a ReferenceEngine that rewrites questions. */
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

export interface QuestionSource {
  /** @returns '' to use a bundled question. */
  nextQuestion(signal: AbortSignal): Promise<string>
}

export interface PromptOptions {
  readonly model: string
  readonly endpoints: readonly ('chat' | 'completion')[]
  readonly maxTokens: { readonly min: number; readonly max: number }
  readonly random: Random
  readonly clock: Clock
  /** Absent: questions are not rewritten. */
  readonly engine?: QuestionWriter
  /** Absent: the bundled questions. */
  readonly questions?: QuestionSource
  /** Sends every miner of a round the same request, as 4.4.1 does. */
  readonly sameForAll?: boolean
  /** Called with the reason when a question is not rewritten or comes from the bundled set. */
  readonly onFallback?: (reason: string) => void
}

/** The prompt of a round: one question, endpoint, temperature and length; persona and seed differ per miner. */
export interface RoundPrompt {
  readonly question: string
  readonly endpoint: 'chat' | 'completion'
  readonly temperature: number
  readonly maxTokens: number
  /** The request for one miner; the same key gives the same request. */
  forMiner(key: string): SyntheticRequest
}

const SEED = { min: 10_000, max: 10_000_000 }
const REWRITE = { tokens: { min: 16, max: 64 }, temperature: 0.5 }
const QUESTION_LENGTH = 2_000

/** Draws the prompt of a round as 4.4.1 does (targon/request.py); deterministic for the same `random`. */
export async function makePrompt(options: PromptOptions, signal: AbortSignal): Promise<RoundPrompt> {
  const { random, model } = options
  const endpoint = random.pick(options.endpoints)
  const temperature = random.next()
  const maxTokens = random.integer(options.maxTokens.min, options.maxTokens.max)
  const bundled = random.pick(bundledQuestions)
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
      const perMiner = miners.fork(options.sameForAll ? '' : key)
      const seed = perMiner.integer(SEED.min, SEED.max)
      const persona = pickPersona(perMiner)
      return { model, seed, temperature, maxTokens, ...content(endpoint, persona, today, question) }
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
    onFallback?.(`using a bundled question: ${messageOf(error)}`)
    return bundled
  }
}

/** Lets the engine turn the question into a search query, so that miners cannot precompute a list of questions. */
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
    onFallback?.(`could not rewrite the question: ${messageOf(error)}`)
    return question
  }
}
