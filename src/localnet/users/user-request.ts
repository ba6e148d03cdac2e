import { createHash } from 'node:crypto'

/** One request of a user. */
export interface UserRequest {
  readonly route: 'chat' | 'completion'
  readonly model: string
  readonly text: string
  readonly maxTokens: number
  /** Undefined: the user does not say. */
  readonly temperature: number | undefined
  /** Time before the user's next request. */
  readonly pauseMs: number
}

/** Shorter than the prompts of a validator, by which the two-faced engine knows them (engine/behaviour/catalogue.ts). */
const QUESTIONS = [
  'How do rivers begin, and where do they end?',
  'Describe a market in the morning.',
  'What should I take on a walk?',
  'Explain how bread rises.',
  'Write a letter to an old friend.',
  'Why is the sea salty?',
  'Tell me about a small harbour.',
  'What is a good way to learn a language?',
]
const TEMPERATURES = [undefined, 0.3, 0.7, 1]
/** Three of four requests are chats. */
const ROUTES = ['chat', 'chat', 'chat', 'completion'] as const
const TOKENS = { least: 48, spread: 80 }
const PAUSE_MS = { least: 100, spread: 400 }

/** The request with this number; the same seed gives the same requests. */
export function userRequest(seed: string, number: number, models: readonly string[]): UserRequest {
  const draws = createHash('sha256').update(`${seed}/users/${number}`).digest()
  const draw = (at: number, count: number) => draws.readUInt32LE(at * 4) % count
  const pick = <T>(at: number, list: readonly T[]): T | undefined => list[draw(at, list.length)]
  return {
    route: pick(0, ROUTES) ?? 'chat',
    model: pick(1, models) ?? '',
    text: pick(2, QUESTIONS) ?? '',
    maxTokens: TOKENS.least + draw(3, TOKENS.spread),
    temperature: pick(4, TEMPERATURES),
    pauseMs: PAUSE_MS.least + draw(5, PAUSE_MS.spread),
  }
}
