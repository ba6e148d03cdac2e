import { type Clock, messageOf } from '../kernel/index.js'
import { type Persona, personaText, pickPersona } from './persona.js'
import bundledQuestions from './questions.json' with { type: 'json' }
import type { Random } from './random.js'
import { anyLength, usualLength, usualSeed, usualTemperature } from './usual-values.js'
import { wordContent } from './wording.js'

/** Structurally an InferenceRequest of inference/, which this folder does not import. */
export type SyntheticRequest = {
  readonly model: string
  readonly seed: number
  readonly temperature: number
  readonly maxTokens: number
  /** The server's own cuts apply, as in 4.4.1. */
  readonly mayBeCut?: true
  readonly asksForUsage?: true
  /** Order of the members of the body. */
  readonly layout?: number
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
  /** Share of the requests with temperature 0; 0 when absent. */
  readonly greedyShare?: number
  /** Asks for the usage, as hubs do for their users. */
  readonly asksForUsage?: boolean
  /** Sends every miner of a round the same request in the form of 4.4.1. */
  readonly sameForAll?: boolean
  /** Called with the reason when a question is not rewritten or comes from the bundled set. */
  readonly onFallback?: (reason: string) => void
}

/**
 * The prompt of a round: one question, endpoint, temperature and length. Persona, wording, seed, order of members, and
 * whether the temperature is 0 instead, differ per miner.
 */
export interface RoundPrompt {
  readonly question: string
  readonly endpoint: 'chat' | 'completion'
  /** The request for one miner; the same key gives the same request. */
  forMiner(key: string): SyntheticRequest
}

/** Of 4.4.1. */
const OLD_SEED = { min: 10_000, max: 10_000_000 }
const REWRITE = { tokens: { min: 16, max: 64 }, temperature: 0.5 }
const QUESTION_LENGTH = 2_000

/**
 * Draws the prompt of a round (questions and lengths: 4.4.1 targon/request.py); deterministic for the same `random`. A
 * miner must not tell these requests from those of users, so seeds, temperatures and lengths are like users' and nothing is
 * worded the same every time.
 */
export async function makePrompt(options: PromptOptions, signal: AbortSignal): Promise<RoundPrompt> {
  const { random, model, sameForAll = false, greedyShare = 0, asksForUsage = false } = options
  const endpoint = random.pick(options.endpoints)
  const temperature = sameForAll ? random.next() : usualTemperature(random)
  const maxTokens = (sameForAll ? anyLength : usualLength)(random, options.maxTokens)
  const bundled = random.pick(bundledQuestions)
  const rewriteTokens = random.integer(REWRITE.tokens.min, REWRITE.tokens.max)
  const miners = random.fork(String(random.next()))
  const today = new Date(options.clock.now())
  const question = await rewrite(await draw(options, bundled, signal), rewriteTokens, options, signal)
  const common = { model, maxTokens }

  return {
    question,
    endpoint,
    forMiner: (key) => {
      const perMiner = miners.fork(sameForAll ? '' : key)
      const persona = pickPersona(perMiner)
      if (sameForAll) {
        const seed = perMiner.integer(OLD_SEED.min, OLD_SEED.max)
        return {
          ...common,
          seed,
          temperature,
          mayBeCut: true,
          ...contentOf4(endpoint, persona, today, question),
        }
      }
      const isGreedy = perMiner.next() < greedyShare
      return {
        ...common,
        seed: usualSeed(perMiner),
        temperature: isGreedy ? 0 : temperature,
        ...(asksForUsage ? { asksForUsage } : {}),
        layout: perMiner.integer(0, 2 ** 32 - 1),
        ...wordContent(endpoint, persona, today, question, perMiner),
      }
    },
  }
}

function contentOf4(endpoint: 'chat' | 'completion', persona: Persona, today: Date, question: string) {
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
