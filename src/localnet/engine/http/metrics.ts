import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Dialect } from '../options.js'
import type { Slots } from './slots.js'

const SECONDS = [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

export interface EngineMetrics {
  render(): Promise<string>
  countRequest(model: string, tokens: { readonly prompt: number; readonly generated: number }): void
  observeAnswer(model: string, seconds: { readonly toFirstToken: number; readonly total: number }): void
}

/** Metrics with vLLM's names and labels; the KV cache gauge has another name in each dialect. */
export function makeMetrics(dialect: Dialect, models: readonly string[], slots: Slots): EngineMetrics {
  const registers = [new Registry()]
  const [registry] = registers
  const labelNames = ['model_name']
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        for (const model of models) this.set({ model_name: model }, read())
      },
    })
  gauge('vllm:num_requests_running', 'Number of requests in model execution batches.', () => slots.running)
  gauge('vllm:num_requests_waiting', 'Number of requests waiting to be processed.', () => slots.waiting)
  gauge(
    dialect === 'v0' ? 'vllm:gpu_cache_usage_perc' : 'vllm:kv_cache_usage_perc',
    'KV-cache usage. 1 means 100 percent usage.',
    () => Math.min(1, slots.running / 256),
  )
  gauge('vllm:num_preemptions_total', 'Cumulative number of preemptions from the engine.', () => 0)
  const counter = (name: string, help: string) => new Counter({ name, help, labelNames, registers })
  const prompt = counter('vllm:prompt_tokens_total', 'Number of prefill tokens processed.')
  const generated = counter('vllm:generation_tokens_total', 'Number of generation tokens processed.')
  const histogram = (name: string, help: string) =>
    new Histogram({ name, help, labelNames, registers, buckets: SECONDS })
  const firstToken = histogram('vllm:time_to_first_token_seconds', 'Histogram of time to first token.')
  const latency = histogram('vllm:e2e_request_latency_seconds', 'Histogram of end to end request latency.')
  return {
    render: async () => (await registry?.metrics()) ?? '',
    countRequest(model, tokens) {
      prompt.inc({ model_name: model }, tokens.prompt)
      generated.inc({ model_name: model }, tokens.generated)
    },
    observeAnswer(model, seconds) {
      firstToken.observe({ model_name: model }, seconds.toFirstToken)
      latency.observe({ model_name: model }, seconds.total)
    },
  }
}
