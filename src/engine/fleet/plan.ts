import { explainMisfit, type Gpu, placeModel } from './gpu.js'

export interface Placement {
  readonly model: string
  readonly gpuIds: readonly number[]
}

/** A model without an engine: it does not fit, or its size is unknown. */
export interface UnplacedModel {
  readonly model: string
  readonly reason: string
  /** What the operator can do. */
  readonly next?: string | undefined
}

export interface FleetPlan {
  readonly placements: readonly Placement[]
  readonly unplaced: readonly UnplacedModel[]
}

/** Memory in MiB, or why it is unknown. */
export type ModelSize = number | { readonly unknown: string; readonly next?: string | undefined }

const MISFIT_ADVICE =
  'Free GPUs of this host, want fewer or smaller models, or run this one elsewhere and use --engine.mode endpoints.'

/**
 * Places models on whole GPUs in the given order. A running model keeps its GPUs unless an earlier model needs them. Other
 * models take free GPUs, then GPUs that our containers would release.
 */
export function planFleet(
  order: readonly string[],
  sizes: ReadonlyMap<string, ModelSize>,
  gpus: readonly Gpu[],
  running: readonly Placement[],
): FleetPlan {
  const taken = new Set<number>()
  const placements: Placement[] = []
  const unplaced: UnplacedModel[] = []
  for (const model of order) {
    const current = running.find((placement) => placement.model === model)
    if (current?.gpuIds.every((id) => !taken.has(id))) {
      placements.push(claim(current, taken))
      continue
    }
    const size = sizes.get(model)
    if (typeof size !== 'number') {
      unplaced.push({ model, reason: size?.unknown ?? 'its size is unknown', next: size?.next })
      continue
    }
    const ours = new Set(running.flatMap(({ gpuIds }) => gpuIds))
    const available = gpus.filter(({ id }) => !taken.has(id))
    const free = available.filter(({ id }) => !ours.has(id))
    const released = available.map((gpu) => (ours.has(gpu.id) ? { ...gpu, freeMib: gpu.totalMib } : gpu))
    const chosen = placeModel(free, size) ?? placeModel(released, size)
    if (chosen) placements.push(claim({ model, gpuIds: chosen.map(({ id }) => id) }, taken))
    else unplaced.push({ model, reason: explainMisfit(released, size), next: MISFIT_ADVICE })
  }
  return { placements, unplaced }
}

function claim(placement: Placement, taken: Set<number>): Placement {
  for (const id of placement.gpuIds) taken.add(id)
  return { model: placement.model, gpuIds: placement.gpuIds }
}
