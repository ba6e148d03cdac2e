import { explainMisfit, type Gpu, placeModel } from './gpu.js'

export interface RunningModel {
  readonly model: string
  readonly gpuIds: readonly number[]
}

export interface Placement {
  readonly model: string
  readonly gpuIds: readonly number[]
}

export interface FleetPlan {
  readonly placements: readonly Placement[]
  /** Models that do not fit, with the arithmetic, or whose size is unknown. */
  readonly unplaced: readonly { readonly model: string; readonly reason: string }[]
}

/** Memory in MiB, or why it is unknown. */
export type ModelSize = number | { readonly unknown: string }

/**
 * Places models in this order into whole cards. A running model keeps its cards unless an earlier one needed them;
 * others take cards that are free, then cards that our own containers would give back.
 */
export function planFleet(
  order: readonly string[],
  sizes: ReadonlyMap<string, ModelSize>,
  gpus: readonly Gpu[],
  running: readonly RunningModel[],
): FleetPlan {
  const taken = new Set<number>()
  const placements: Placement[] = []
  const unplaced: { model: string; reason: string }[] = []
  const keepable = (wanted: string) => running.find(({ model }) => model === wanted)
  for (const model of order) {
    const current = keepable(model)
    if (current?.gpuIds.every((id) => !taken.has(id))) {
      placements.push(claim(current, taken))
      continue
    }
    const size = sizes.get(model)
    if (typeof size !== 'number') {
      unplaced.push({ model, reason: size?.unknown ?? 'its size is unknown' })
      continue
    }
    const held = new Set(running.flatMap(({ gpuIds }) => gpuIds))
    const left = gpus.filter(({ id }) => !taken.has(id))
    const free = left.filter(({ id }) => !held.has(id))
    const returned = left.map((gpu) => (held.has(gpu.id) ? { ...gpu, freeMib: gpu.totalMib } : gpu))
    const cards = placeModel(free, size) ?? placeModel(returned, size)
    if (cards) placements.push(claim({ model, gpuIds: cards.map(({ id }) => id) }, taken))
    else unplaced.push({ model, reason: explainMisfit(returned, size) })
  }
  return { placements, unplaced }
}

function claim(placement: Placement, taken: Set<number>): Placement {
  for (const id of placement.gpuIds) taken.add(id)
  return { model: placement.model, gpuIds: placement.gpuIds }
}
