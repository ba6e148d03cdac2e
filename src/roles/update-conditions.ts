import type { Condition } from '../alerts/index.js'

/** What a node knows about its releases. */
export interface UpdateStanding {
  /** A newer release that this node does not take by itself now, and why. */
  readonly waiting: { readonly version: string; readonly reason: string; readonly next: string } | undefined
  /** Newer releases that failed on this machine and were rolled back. */
  readonly rolledBack: readonly string[]
}

/** An update that is found waits up to 30 minutes, and longer while weights are due; this is more than either. */
const WAITING_MS = 3 * 3_600_000

/** What the operator should know about updates. */
export function updateConditions({
  standing,
}: {
  readonly standing: () => Promise<UpdateStanding>
}): Condition[] {
  return [
    {
      ...{ id: 'update-waiting', severity: 'warning', forMs: WAITING_MS },
      look: async () => {
        const { waiting } = await standing()
        if (!waiting) return []
        const { version, reason, next } = waiting
        return [{ subject: version, sentence: `Release ${version} is not installed: ${reason}.`, next }]
      },
    },
    {
      ...{ id: 'update-rolled-back', severity: 'warning', forMs: 0 },
      look: async () => {
        const { rolledBack } = await standing()
        return rolledBack.map((version) => ({
          subject: version,
          sentence: `Release ${version} did not become healthy on this machine and was rolled back.`,
          next: `Read the log of its start; targon update --to ${version} tries it again.`,
        }))
      },
    },
  ]
}
