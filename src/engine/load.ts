const GAUGE = /^vllm:num_requests_(?:running|waiting)(?:\{[^}]*\})? ([0-9.eE+-]+)/gm

/** Requests a vLLM server runs or holds waiting, from its /metrics; undefined when it does not say. */
export function parseLoad(metrics: string): number | undefined {
  let load: number | undefined
  for (const [, value] of metrics.matchAll(GAUGE)) {
    const count = Number(value)
    if (Number.isFinite(count)) load = (load ?? 0) + count
  }
  return load
}
