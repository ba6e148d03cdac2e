import type { VllmOptions } from './server.js'

/** A vLLM behind a miner, and the requests that it answers. */
export interface Configuration extends VllmOptions {
  readonly name: string
  readonly requests: RequestKind
  readonly answers: number
}

export interface RequestKind {
  /** The same seed gives the same requests. */
  readonly seed: string
  readonly maxTokens: { readonly min: number; readonly max: number }
  readonly greedyShare: number
  /** Temperatures in turn, in place of those that a round chooses. */
  readonly temperatures?: readonly number[]
}

function likeRounds(seed: string): RequestKind {
  return { seed, maxTokens: { min: 48, max: 128 }, greedyShare: 0.2 }
}

/** Triton's interpreter is slow, so answers are short. */
function short(seed: string): RequestKind {
  return {
    ...{ seed, maxTokens: { min: 24, max: 24 }, greedyShare: 0.1 },
    temperatures: [0.5, 0.7, 0.9, 1, 1.1, 1.3],
  }
}

const float32 = ['--dtype', 'float32']
const processed = ['--logprobs-mode', 'processed_logprobs']

/** All run the model of the validator's own engine. */
export const HONEST: readonly Configuration[] = [
  { name: 'v1-honest', runner: 'v1', weights: 'honest', requests: likeRounds('honest'), answers: 500 },
  {
    ...{ name: 'v1-honest-float32', runner: 'v1', weights: 'honest', flags: float32, answers: 500 },
    requests: likeRounds('honest float32'),
  },
  {
    ...{ name: 'v1-honest-processed-logprobs', runner: 'v1', weights: 'honest', flags: processed },
    ...{ requests: likeRounds('honest processed logprobs'), answers: 250 },
  },
  { name: 'v0-honest', runner: 'v0', weights: 'honest', requests: likeRounds('v0-honest'), answers: 250 },
  { name: 'v2-honest', runner: 'v2', weights: 'honest', requests: short('v2-honest'), answers: 100 },
  {
    ...{ name: 'v2-float32', runner: 'v2', weights: 'honest', flags: float32, answers: 100 },
    requests: short('v2-float32'),
  },
]

export const CHEATING: readonly Configuration[] = [
  { name: 'v1-int4', runner: 'v1', weights: 'int4', requests: likeRounds('int4'), answers: 500 },
  { name: 'v1-int8', runner: 'v1', weights: 'int8', requests: likeRounds('int8'), answers: 500 },
  { name: 'v1-pruned', runner: 'v1', weights: 'pruned', requests: likeRounds('pruned'), answers: 50 },
  { name: 'v2-int4', runner: 'v2', weights: 'int4', requests: short('v2-int4'), answers: 80 },
]
