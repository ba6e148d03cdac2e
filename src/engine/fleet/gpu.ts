import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { messageOf, TargonError } from '../../kernel/index.js'

export interface Gpu {
  readonly id: number
  readonly freeMib: number
  readonly totalMib: number
}

/** Share of a card's memory that must be free before it counts (4.4.1 targon/docker.py). Whole cards only: sharing ends in OOM. */
const FREE_SHARE = 0.9
/** Room beside the weights for the cache and activations (4.4.1 targon/docker.py). */
const HEADROOM = 1.2

/**
 * Cards for a model: the first that holds it alone, else cards in order until they hold it together.
 *
 * @returns undefined when all free cards together are too small
 */
export function placeModel(gpus: readonly Gpu[], requiredMib: number): readonly Gpu[] | undefined {
  const free = gpus.filter((gpu) => gpu.totalMib > 0 && gpu.freeMib / gpu.totalMib > FREE_SHARE)
  const neededMib = requiredMib * HEADROOM
  const single = free.find((gpu) => gpu.freeMib >= neededMib)
  if (single) return [single]
  let togetherMib = 0
  for (const [index, gpu] of free.entries()) {
    togetherMib += gpu.freeMib
    if (togetherMib > neededMib) return free.slice(0, index + 1)
  }
  return undefined
}

/** Why a model got no card, with the arithmetic. */
export function explainMisfit(gpus: readonly Gpu[], requiredMib: number): string {
  const free = gpus.filter((gpu) => gpu.totalMib > 0 && gpu.freeMib / gpu.totalMib > FREE_SHARE)
  const togetherMib = free.reduce((sum, gpu) => sum + gpu.freeMib, 0)
  return `needs ${requiredMib} MiB × ${HEADROOM} = ${Math.ceil(requiredMib * HEADROOM)} MiB; ${free.length} of ${gpus.length} cards are more than ${FREE_SHARE * 100} % free and hold ${togetherMib} MiB`
}

/**
 * Output of `nvidia-smi --query-gpu=memory.free,memory.total --format=csv,noheader`, with or without units.
 *
 * @throws TargonError GPU_QUERY (runtime)
 */
export function parseGpus(output: string): Gpu[] {
  return output
    .trim()
    .split('\n')
    .map((line, id) => {
      const match = /^\s*(\d+)(?: MiB)?,\s*(\d+)(?: MiB)?\s*$/.exec(line)
      if (!match) throw unreadable(`it printed "${line.slice(0, 80)}"`)
      return { id, freeMib: Number(match[1]), totalMib: Number(match[2]) }
    })
}

/** @throws TargonError GPU_QUERY (runtime) when there is no nvidia-smi or it fails */
export async function readGpus(signal: AbortSignal): Promise<Gpu[]> {
  const query = ['--query-gpu=memory.free,memory.total', '--format=csv,noheader']
  try {
    const { stdout } = await promisify(execFile)('nvidia-smi', query, { timeout: 15_000, signal })
    return parseGpus(stdout)
  } catch (error) {
    if (error instanceof TargonError) throw error
    throw unreadable(messageOf(error), { cause: error })
  }
}

function unreadable(why: string, options?: ErrorOptions): TargonError {
  return new TargonError(
    `The graphics cards cannot be read with nvidia-smi: ${why}.`,
    {
      code: 'GPU_QUERY',
      fault: 'runtime',
      next: 'Check the NVIDIA driver, or use --engine.mode endpoints with vLLM servers elsewhere.',
    },
    options,
  )
}
