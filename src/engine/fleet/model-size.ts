import { z } from 'zod'
import { messageOf, TargonError } from '../../kernel/index.js'
import { hubError } from '../engine-error.js'
import { type HubSource, readHubApi } from '../hub-files.js'
import type { ModelSize } from './plan.js'

const BYTES_PER_PARAMETER: Readonly<Record<string, number>> = {
  F64: 8,
  I64: 8,
  F32: 4,
  I32: 4,
  U32: 4,
  F16: 2,
  BF16: 2,
  I16: 2,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I8: 1,
  U8: 1,
  BOOL: 1,
  F4: 0.5,
  I4: 0.5,
  U4: 0.5,
}
/** For unknown types: the size of the most common one. */
const DEFAULT_BYTES = 2

const modelSchema = z.object({
  safetensors: z.object({ parameters: z.record(z.string(), z.number().nonnegative()) }),
})

/** 4.4.1 targon/docker.py bytes_to_mib: rounded up. */
export function bytesToMib(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20)
}

export function weightBytes(parameters: Readonly<Record<string, number>>): number {
  return Object.entries(parameters).reduce(
    (sum, [type, count]) => sum + count * (BYTES_PER_PARAMETER[type] ?? DEFAULT_BYTES),
    0,
  )
}

/**
 * Memory of the weights in MiB, from the hub's safetensors metadata.
 *
 * @throws TargonError ENGINE_UNAVAILABLE when the hub does not report it
 */
async function readModelSizeMib(source: HubSource, model: string, signal: AbortSignal): Promise<number> {
  const parsed = modelSchema.safeParse(await readHubApi(source, model, signal))
  if (!parsed.success) {
    throw hubError(`The hub has no safetensors metadata for ${model}, so its size is unknown.`)
  }
  return bytesToMib(weightBytes(parsed.data.safetensors.parameters))
}

/** Sizes of models, or why they are unknown. A known one is not asked for again while the model is wanted. */
export class ModelSizes {
  readonly #known = new Map<string, number>()

  constructor(private readonly source: HubSource) {}

  async read(models: readonly string[], signal: AbortSignal): Promise<Map<string, ModelSize>> {
    const sizes = await Promise.all(
      models.map(async (model): Promise<[string, ModelSize]> => [model, await this.#readOne(model, signal)]),
    )
    for (const model of this.#known.keys()) if (!models.includes(model)) this.#known.delete(model)
    return new Map(sizes)
  }

  async #readOne(model: string, signal: AbortSignal): Promise<ModelSize> {
    try {
      const size = this.#known.get(model) ?? (await readModelSizeMib(this.source, model, signal))
      this.#known.set(model, size)
      return size
    } catch (error) {
      signal.throwIfAborted()
      return { unknown: messageOf(error), ...(error instanceof TargonError ? { next: error.next } : {}) }
    }
  }
}
