/** Load of a vLLM server according to its metrics, summed over models and engines. */
export interface EngineLoad {
  readonly running: number
  readonly waiting: number
  /** Since the server started; undefined when it reports none. */
  readonly generatedTokens: number | undefined
}

/** Reads vLLM's Prometheus text (metric names unchanged since 0.6.2); undefined when it has no such metric. */
export function readEngineLoad(text: string): EngineLoad | undefined {
  const running = sumOf(text, 'vllm:num_requests_running')
  const waiting = sumOf(text, 'vllm:num_requests_waiting')
  if (running === undefined && waiting === undefined) return undefined
  return {
    running: running ?? 0,
    waiting: waiting ?? 0,
    generatedTokens: sumOf(text, 'vllm:generation_tokens_total'),
  }
}

function sumOf(text: string, name: string): number | undefined {
  let sum: number | undefined
  for (const line of text.split('\n')) {
    if (!line.startsWith(name)) continue
    const next = line[name.length]
    if (next !== '{' && next !== ' ') continue
    const value = Number(
      line
        .slice(line.lastIndexOf('}') + 1)
        .trim()
        .split(/\s+/)
        .at(next === '{' ? 0 : 1),
    )
    if (Number.isFinite(value) && value >= 0) sum = (sum ?? 0) + value
  }
  return sum
}
