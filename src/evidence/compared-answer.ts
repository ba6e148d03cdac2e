import type { Column, TopTokens } from './distributions.js'

/** One answer beside the reference distributions of the validator's engine. Position i of every column is output token i. */
export interface ComparedAnswer {
  /** As requested; 0 is greedy. */
  readonly temperature: number
  /** As sent in the request; undefined when the request named none. Beyond 2^53 a number is no longer exact and counts as none. */
  readonly seed: number | undefined
  /** Tokens of the prompt as the server saw it: output token j was drawn at position `promptTokens` - 1 + j. */
  readonly promptTokens: number
  readonly tokenIds: Column
  /** Log probability that the miner states for each token; NaN where it stated none that can be read. */
  readonly claimed: Column
  /** Temperature of the claimed log probabilities: 1 when the server states raw ones. */
  readonly claimedAt: number
  /** The engine's log probability of each token, at temperature 1. */
  readonly reference: Column
  /** The engine's likeliest tokens at every position, at temperature 1; a position after the last token is ignored. */
  readonly top: TopTokens
  /** The server may have cut or changed the distribution: top_p < 1, top_k, min_p, penalties, or unknown defaults. */
  readonly isCut: boolean
}
