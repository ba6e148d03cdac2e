import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { messageOf, TargonError } from '../../kernel/index.js'

export interface Gpu {
  readonly id: number
  readonly freeMib: number
  readonly totalMib: number
}

/** Share of a GPU's memory that must be free (4.4.1 targon/docker.py). Only whole GPUs are used: sharing one runs out of memory. */
const FREE_SHARE = 0.9
/** Memory needed per byte of weights, including cache and activations (4.4.1 targon/docker.py). */
const HEADROOM = 1.2
/** Of what nvidia-smi prints, in an error. */
const PRINTED_LENGTH = 300

/**
 * GPUs for a model: the first one that can hold it, otherwise GPUs in order until they can hold it together.
 *
 * @returns undefined when all free GPUs together are too small
 */
export function placeModel(gpus: readonly Gpu[], requiredMib: number): readonly Gpu[] | undefined {
  const free = gpus.filter((gpu) => gpu.totalMib > 0 && gpu.freeMib / gpu.totalMib > FREE_SHARE)
  const neededMib = requiredMib * HEADROOM
  const single = free.find((gpu) => gpu.freeMib >= neededMib)
  if (single) return [single]
  let totalFreeMib = 0
  for (const [index, gpu] of free.entries()) {
    totalFreeMib += gpu.freeMib
    if (totalFreeMib > neededMib) return free.slice(0, index + 1)
  }
  return undefined
}

/** Why a model got no GPU, with the numbers. */
export function explainMisfit(gpus: readonly Gpu[], requiredMib: number): string {
  const free = gpus.filter((gpu) => gpu.totalMib > 0 && gpu.freeMib / gpu.totalMib > FREE_SHARE)
  const totalFreeMib = free.reduce((sum, gpu) => sum + gpu.freeMib, 0)
  return `needs ${requiredMib} MiB × ${HEADROOM} = ${Math.ceil(requiredMib * HEADROOM)} MiB; ${free.length} of ${gpus.length} GPUs are more than ${FREE_SHARE * 100} % free and have ${totalFreeMib} MiB`
}

/**
 * Parses the output of `nvidia-smi --query-gpu=memory.free,memory.total --format=csv,noheader`, with or without units.
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

/** @param searchPath folders to search (PATH) */
export function findNvidiaSmi(searchPath: string): string | undefined {
  return searchPath
    .split(delimiter)
    .map((folder) => join(folder, 'nvidia-smi'))
    .find((path) => existsSync(path))
}

/** @throws TargonError GPU_QUERY (runtime) when nvidia-smi is missing or fails */
export async function readGpus(searchPath: string, signal: AbortSignal): Promise<Gpu[]> {
  const query = ['--query-gpu=memory.free,memory.total', '--format=csv,noheader']
  try {
    const program = findNvidiaSmi(searchPath)
    if (program === undefined) throw unreadable('it is not in a folder of PATH')
    const { stdout } = await promisify(execFile)(program, query, { timeout: 15_000, signal })
    return parseGpus(stdout)
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof TargonError) throw error
    throw unreadable(explainFailure(error), { cause: error })
  }
}

/** nvidia-smi prints its errors, such as a driver that does not respond, to stdout. */
function explainFailure(error: unknown): string {
  const printed =
    error instanceof Error && 'stdout' in error && 'stderr' in error
      ? `${error.stdout} ${error.stderr}`.replace(/\s+/g, ' ').trim()
      : ''
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (printed === '') return messageOf(error)
  return `it failed (${code ?? 'killed'}): ${printed.slice(0, PRINTED_LENGTH)}`
}

function unreadable(why: string, options?: ErrorOptions): TargonError {
  return new TargonError(
    `nvidia-smi could not list the GPUs: ${why}.`,
    {
      code: 'GPU_QUERY',
      fault: 'runtime',
      next: 'Check the NVIDIA driver, or use --engine.mode endpoints with vLLM servers on other hosts.',
    },
    options,
  )
}
