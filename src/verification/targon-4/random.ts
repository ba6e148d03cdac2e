/** The likeliest ids when the engine continues the text before the token at `index`; null when it returned none. */
export type TopIds = (index: number) => ReadonlySet<number> | null

export interface MembershipResult {
  readonly verified: boolean
  readonly failedIndex: number | undefined
}

/** Range and size of the sample 4.4.1 draws in addition to the first and last token. */
export function sampleRange(tokenCount: number): { first: number; last: number; size: number } {
  const last = tokenCount - 2
  return { first: 1, last, size: Math.max(0, Math.min(3, last)) }
}

/** Indices in the order 4.4.1 checks them. As there, the token of a one-token answer is checked twice. */
export function checkedIndices(tokenCount: number, picked: readonly number[]): number[] {
  return [0, tokenCount - 1, ...picked].sort((a, b) => a - b)
}

/** 4.4.1 verifier/verifier.py verify_logprobs_random: the token at each index must be among the engine's top ids. */
export function checkMembership(
  ids: readonly number[],
  indices: readonly number[],
  topIds: TopIds,
): MembershipResult {
  for (const index of indices) {
    const top = topIds(index)
    const id = ids[index]
    if (top && (id === undefined || !top.has(id))) return { verified: false, failedIndex: index }
  }
  return { verified: true, failedIndex: undefined }
}
