import { bytesToMib, containerSlug, type Gpu, parseGpus, placeModel } from '../../../src/engine/index.js'
import { type Case, type Checker, type Finding, sameJson } from '../checker.js'

type Triple = [number, number, number]

const toGpu = ([id, freeMib, totalMib]: Triple): Gpu => ({ id, freeMib, totalMib })
const toTriple = ({ id, freeMib, totalMib }: Gpu): Triple => [id, freeMib, totalMib]

function compare(actual: unknown, wanted: unknown, explainedBy?: string): Finding {
  if (sameJson(actual, wanted)) return { agrees: true }
  const detail = `${JSON.stringify(actual)} instead of ${JSON.stringify(wanted)}`
  return explainedBy ? { agrees: false, explainedBy, detail } : { agrees: false, detail }
}

function attempt(work: () => unknown): unknown {
  try {
    return work()
  } catch {
    return 'raises'
  }
}

/** GPUs assigned to each model of a run, in order; this is what the original and ours have in common. */
function placements(testCase: Case): { actual: unknown; wanted: unknown } {
  const { input, expected } = testCase
  const run = input ?? testCase
  const log = (expected.value?.log ?? expected.log ?? []) as [
    string,
    { labels: { model: string }; device_requests: { device_ids: string[] }[] },
  ][]
  const wanted = log
    .filter(([call]) => call === 'run')
    .map(([, { labels, device_requests }]) => [labels.model, device_requests[0]?.device_ids.map(Number)])
  const actual: unknown[] = []
  const started = new Set(wanted.map(([model]) => model))
  const frees: Triple[][] = [...run.free_gpus_each_call]
  for (const model of run.models_after_shuffle as string[]) {
    const required = run.required_mib[model]
    if (required === undefined) continue
    const free = frees.length > 1 ? (frees.shift() ?? []) : (frees[0] ?? [])
    const cards = placeModel(free.map(toGpu), required)
    if (cards && started.has(model)) actual.push([model, cards.map(({ id }) => id)])
  }
  return { actual, wanted }
}

export const checker: Checker = {
  vectors: 'docker',
  rules: {
    'no-memory': 'A GPU that reports no memory is not free; the original divides by zero.',
  },
  check(testCase) {
    const { fn, expected } = testCase
    const input = testCase.input ?? testCase
    const wanted = expected.raises ? 'raises' : expected.value
    if (fn === 'get_gpu_with_space') {
      const gpus = (input.gpus as Triple[]).map(toGpu)
      const actual = attempt(() => placeModel(gpus, input.required_mib)?.map(toTriple) ?? null)
      return compare(actual, wanted, gpus.some(({ totalMib }) => totalMib === 0) ? 'no-memory' : undefined)
    }
    if (fn === 'bytes_to_mib') return compare(bytesToMib(input.bytes), wanted)
    if (fn === 'get_free_gpus') {
      const failed = input.exit_code !== 0
      return compare(
        failed ? 'raises' : attempt(() => parseGpus(input.nvidia_smi_stdout).map(toTriple)),
        wanted,
      )
    }
    if (fn === 'container_name') return compare(containerSlug(input.model), wanted)
    if (fn === 'sync_output_checkers') {
      const run = placements(testCase)
      return compare(run.actual, run.wanted)
    }
    return { agrees: false, detail: `unknown function ${fn}` }
  },
}
