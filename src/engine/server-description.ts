import { isJsonObject } from '../kernel/index.js'
import type { ProbeResult } from './probe.js'
import type { EngineServer } from './server.js'

const TIMEOUT_MS = 5_000
const VALUE_LENGTH = 100

/** Options on which numbers depend, of those that vLLM shows in `vllm:cache_config_info` of its metrics. */
const CACHE_OPTIONS = [
  'block_size',
  'cache_dtype',
  'calculate_kv_scales',
  'enable_prefix_caching',
  'mamba_cache_dtype',
  'sliding_window',
]
/** And of `/server_info`, which servers in development mode have. */
const ENGINE_OPTIONS = [
  ...['dtype', 'quantization', 'kv_cache_dtype', 'enforce_eager', 'tensor_parallel_size'],
  ...['pipeline_parallel_size', 'speculative_config', 'revision', 'enable_chunked_prefill'],
]

const CACHE_GAUGE = /^vllm:cache_config_info\{([^}\n]{0,8192})\}/m

/** What a server tells of itself, by name: version, dialect, limits and the options it shows. */
export async function describeServer(
  server: Pick<EngineServer, 'getText' | 'getJson'>,
  { version, facts }: ProbeResult,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const options = { timeoutMs: TIMEOUT_MS, signal }
  const absent = () => signal.throwIfAborted()
  const [metrics, info] = await Promise.all([
    server.getText('/metrics', options).catch(absent),
    server.getJson('/server_info', options).catch(absent),
  ])
  return {
    version: version.slice(0, VALUE_LENGTH),
    dialect: facts.dialect,
    logprobs: facts.scaledLogprobs ? 'scaled' : 'raw',
    ...(facts.maxModelLength === undefined ? {} : { max_model_len: String(facts.maxModelLength) }),
    ...readCacheOptions(metrics ?? ''),
    ...readEngineOptions(info),
  }
}

function readCacheOptions(metrics: string): Record<string, string> {
  const labels = CACHE_GAUGE.exec(metrics)?.[1] ?? ''
  const found: Record<string, string> = {}
  for (const [, name = '', value = ''] of labels.matchAll(/(\w+)="([^"]*)"/g))
    if (CACHE_OPTIONS.includes(name)) found[name] = value.slice(0, VALUE_LENGTH)
  return found
}

/** `{"vllm_config": "model='…', dtype=torch.bfloat16, quantization=None, …"}` */
function readEngineOptions(info: unknown): Record<string, string> {
  const text = isJsonObject(info) && typeof info.vllm_config === 'string' ? info.vllm_config : ''
  const found: Record<string, string> = {}
  for (const name of ENGINE_OPTIONS) {
    const value = new RegExp(`\\b${name}=('[^']{0,100}'|[^,()\\s]{1,100})`).exec(text)?.[1]
    if (value !== undefined) found[name] = value.replace(/^torch\./, '').replaceAll("'", '')
  }
  return found
}
