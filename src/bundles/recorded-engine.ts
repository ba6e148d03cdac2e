import type { ModelFacts, Reference, ReferenceEngine, ReferencePosition } from '../engine/index.js'
import { at, type ComparedAnswer } from '../evidence/index.js'
import type { JudgedData, Words } from './judged.js'

/**
 * An engine that answers from what a validator recorded of one answer. It spells the ids as the miner did: whether they spell the
 * text cannot be told without a tokenizer, and answers that failed for that were never compared.
 */
export function recordedEngine(
  model: string,
  { facts }: JudgedData,
  words: Words,
  compared: ComparedAnswer,
): ReferenceEngine {
  const prompt = async () => {
    // Only its length counts, and setting that takes no memory.
    const ids: number[] = []
    ids.length = compared.promptTokens
    return ids
  }
  return {
    model,
    // JSON has no undefined members, which is all that its type adds.
    facts: { endOfTurnId: undefined, maxModelLength: undefined, ...facts } as ModelFacts,
    unreadyReason: undefined,
    tokenizeChat: prompt,
    tokenizeText: prompt,
    detokenize: async () => words.text,
    score: async ({ topK }) => recordedReference(compared, words, topK),
    generate: async () => {
      throw new Error('A record cannot generate text.')
    },
  }
}

function recordedReference(compared: ComparedAnswer, { ranks }: Words, topK: number): Reference {
  const { tokenIds, reference, top } = compared
  const topOf = (position: number): ReferencePosition => {
    const start = at(top.starts, position)
    const entries = Array.from({ length: at(top.starts, position + 1) - start }, (_, index) => index)
    return new Map(
      entries.map((index) => [
        at(top.ids, start + index),
        { logprob: at(top.logprobs, start + index), rank: Math.min(index + 1, topK) },
      ]),
    )
  }
  const positions = Array.from(tokenIds, (id, position) => {
    const own = { logprob: at(reference, position), rank: ranks[position] ?? topK + 1 }
    return new Map([...topOf(position), [id, own]])
  })
  return { positions, next: topOf(tokenIds.length) }
}
