/** What passed between the hub and validators since the start. */
export interface ExchangeCounts {
  /** Answers to validators that had rows of their models. */
  readonly handedOut: number
  /** Verdicts on answers to users. */
  readonly reported: number
  /** Buckets that were handed out since the last of these verdicts. */
  readonly awaited: number
}

export interface Exchange {
  readonly counts: () => ExchangeCounts
  /** @param bucket its id. Validators ask every few minutes and are handed the same bucket until it ends, but report on it once. */
  readonly noteHandedOut: (bucket: string) => void
  /** Verdicts on validators’ own requests do not show that they verify what users are answered. */
  readonly noteVerdict: (verdict: { readonly isOrganic: boolean }) => void
}

export function createExchange(): Exchange {
  const counts = { handedOut: 0, reported: 0, awaited: 0 }
  let last: string | undefined
  return {
    counts: () => counts,
    noteHandedOut: (bucket) => {
      counts.handedOut++
      if (bucket !== last) counts.awaited++
      last = bucket
    },
    noteVerdict: ({ isOrganic }) => {
      if (!isOrganic) return
      counts.reported++
      counts.awaited = 0
    },
  }
}
