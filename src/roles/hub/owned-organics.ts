import type { Organics } from './organics/index.js'

/**
 * Kept requests as long as the state folder belongs to this process. Afterwards nothing is added to them, and validators get no
 * bucket, which the new owner could draw again.
 */
export function ownedOrganics(organics: Organics, lost: AbortSignal): Organics {
  const { buckets } = organics
  return {
    ...organics,
    record: (record) => {
      if (!lost.aborted) organics.record(record)
    },
    buckets: buckets && {
      ...buckets,
      current: async (models) => (lost.aborted ? undefined : buckets.current(models)),
    },
  }
}
