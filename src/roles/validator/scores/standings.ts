import type { Verdict } from '../../../verification/index.js'

/** What happened to one miner since this process started. */
export interface Standing {
  verified: number
  inconclusive: number
  readonly failed: Map<string, number>
  last:
    | {
        readonly verdict: Verdict
        readonly model: string
        readonly tokensPerSecond: number
      }
    | undefined
}

export interface Standings {
  of(hotkey: string): Standing
  note(hotkey: string, verdict: Verdict, model: string, tokensPerSecond: number): void
  keepOnly(hotkeys: ReadonlySet<string>): void
  /** Of everybody since the start, miners that left included. */
  totals(): { readonly verified: number; readonly failed: number; readonly inconclusive: number }
}

export function createStandings(): Standings {
  const standings = new Map<string, Standing>()
  const totals = { verified: 0, failed: 0, inconclusive: 0 }
  const of = (hotkey: string): Standing => {
    const known = standings.get(hotkey)
    if (known) return known
    const fresh: Standing = { verified: 0, inconclusive: 0, failed: new Map(), last: undefined }
    standings.set(hotkey, fresh)
    return fresh
  }
  return {
    of,
    totals: () => ({ ...totals }),
    note: (hotkey, verdict, model, tokensPerSecond) => {
      const standing = of(hotkey)
      totals[verdict.kind]++
      standing.last = { verdict, model, tokensPerSecond }
      if (verdict.kind === 'verified') standing.verified++
      else if (verdict.kind === 'inconclusive') standing.inconclusive++
      else standing.failed.set(verdict.cause, (standing.failed.get(verdict.cause) ?? 0) + 1)
    },
    keepOnly: (hotkeys) => {
      for (const hotkey of standings.keys()) if (!hotkeys.has(hotkey)) standings.delete(hotkey)
    },
  }
}
