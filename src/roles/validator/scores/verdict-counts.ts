import type { Verdict } from '../../../verification/index.js'

/** Verdicts on one miner since this process started. */
export interface MinerVerdicts {
  verified: number
  inconclusive: number
  /** Count by cause. */
  readonly failed: Map<string, number>
  last:
    | {
        readonly verdict: Verdict
        readonly model: string
        readonly tokensPerSecond: number
      }
    | undefined
}

export interface VerdictCounts {
  of(hotkey: string): MinerVerdicts
  record(hotkey: string, verdict: Verdict, model: string, tokensPerSecond: number): void
  keepOnly(hotkeys: ReadonlySet<string>): void
  /** Over all miners since the start, including those that left. */
  totals(): { readonly verified: number; readonly failed: number; readonly inconclusive: number }
}

export function createVerdictCounts(): VerdictCounts {
  const miners = new Map<string, MinerVerdicts>()
  const totals = { verified: 0, failed: 0, inconclusive: 0 }
  const of = (hotkey: string): MinerVerdicts => {
    const known = miners.get(hotkey)
    if (known) return known
    const fresh: MinerVerdicts = { verified: 0, inconclusive: 0, failed: new Map(), last: undefined }
    miners.set(hotkey, fresh)
    return fresh
  }
  return {
    of,
    totals: () => ({ ...totals }),
    record: (hotkey, verdict, model, tokensPerSecond) => {
      const counts = of(hotkey)
      totals[verdict.kind]++
      counts.last = { verdict, model, tokensPerSecond }
      if (verdict.kind === 'verified') counts.verified++
      else if (verdict.kind === 'inconclusive') counts.inconclusive++
      else counts.failed.set(verdict.cause, (counts.failed.get(verdict.cause) ?? 0) + 1)
    },
    keepOnly: (hotkeys) => {
      for (const hotkey of miners.keys()) if (!hotkeys.has(hotkey)) miners.delete(hotkey)
    },
  }
}
