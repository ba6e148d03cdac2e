import type { MinerDocument } from './miner-documents.js'

export interface ModelRow {
  readonly model: string
  readonly isServed: boolean
  /** Uids of the validators that want it; `?` for one that is not among the callers. */
  readonly wantedBy: readonly string[]
}

/** Every model that is served or wanted: wanted and not served first. */
export function modelRows({
  models,
  wanted,
  callers,
}: Pick<MinerDocument, 'models' | 'wanted' | 'callers'>): ModelRow[] {
  const served = new Set(models)
  const uidOf = new Map(callers.map(({ hotkey, uid }) => [hotkey, String(uid)]))
  const names = [...new Set([...models, ...wanted.flatMap((list) => list.models)])]
  const rows = names.map((model) => ({
    model,
    isServed: served.has(model),
    wantedBy: wanted
      .filter((list) => list.models.includes(model))
      .map(({ hotkey }) => uidOf.get(hotkey) ?? '?'),
  }))
  const rank = ({ isServed, wantedBy }: ModelRow) => (isServed ? 1 : 0) * 1000 - wantedBy.length
  return rows.sort((a, b) => rank(a) - rank(b) || (a.model < b.model ? -1 : 1))
}

/** What the operator can do about it. */
export function modelAdvice({ isServed, wantedBy }: ModelRow): string {
  if (isServed) return wantedBy.length > 0 ? 'served' : 'served; no validator asks for it'
  return 'not served: requests for it count as misses'
}
