import { Histogram, type Registry } from 'prom-client'

/**
 * Metrics of inference under the names of the OpenTelemetry semantic conventions for generative AI (status: development), as
 * Prometheus spells them: dots become underscores, the unit is appended.
 * https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/
 */
export interface GenAiMetrics {
  /** A user's request that this hub answered, or failed to answer. Times are from the request on. */
  answered(
    request: GenAiRequest,
    answer: {
      readonly totalMs: number
      readonly firstTokenMs: number | undefined
      readonly promptTokens: number
      readonly tokens: number
    },
  ): void
  /** A request that a model server of this miner answered, or failed to answer. */
  served(request: GenAiRequest, times: { readonly totalMs?: number; readonly firstByteMs?: number }): void
  /** An answer that this validator received. */
  received(
    request: GenAiRequest,
    answer: { readonly totalMs: number; readonly firstTokenMs: number | undefined; readonly tokens: number },
  ): void
  /** Removes the series of a model that is no longer wanted. */
  forget(model: string): void
}

export interface GenAiRequest {
  /** The route, which decides the name of the operation. */
  readonly operation: 'chat' | 'text_completion' | 'embeddings'
  /** Only models that are served or wanted: a label that callers choose would have any number of values. */
  readonly model: string
  /** A class of error with few values; undefined for a success. */
  readonly error?: string | undefined
}

/** The conventions name no provider that fits, and allow others. */
const PROVIDER = 'vllm'

/** Bucket boundaries that the conventions recommend. */
const DURATIONS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
const FIRST_TOKENS = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
const EACH_TOKEN = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5]
const TOKENS = [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304]

const OPERATIONS = ['chat', 'text_completion', 'embeddings'] as const
const TOKEN_TYPES = ['input', 'output'] as const
const LABELS = ['gen_ai_operation_name', 'gen_ai_provider_name', 'gen_ai_request_model'] as const
const ENDED = [...LABELS, 'error_type'] as const
const COUNTED = [...LABELS, 'gen_ai_token_type'] as const

export function createGenAiMetrics(role: 'miner' | 'validator' | 'hub', registry: Registry): GenAiMetrics {
  const all: { readonly one: Histogram<string>; readonly labels: readonly string[] }[] = []
  const errors = new Set<string>()
  const histogram = <L extends string>(
    name: string,
    help: string,
    buckets: readonly number[],
    labels: readonly L[],
  ) => {
    const config = { name, help, buckets: [...buckets], labelNames: [...labels], registers: [registry] }
    const one = new Histogram<L>(config)
    all.push({ one, labels })
    return one
  }
  const noteError = (error: string) => void errors.add(error)
  const sides = { miner: serverMetrics, validator: clientMetrics, hub: gatewayMetrics }
  return {
    ...{ served: () => {}, received: () => {}, answered: () => {} },
    ...sides[role](histogram, noteError),
    forget: (model) => {
      for (const { one, labels } of all)
        for (const series of seriesOf(model, labels, errors)) one.remove(series)
    },
  }
}

/** Every series that the model can have: the library removes a series only by all of its labels. */
function seriesOf(model: string, labels: readonly string[], errors: ReadonlySet<string>) {
  const common = OPERATIONS.map((operation) => labelsOf({ operation, model }))
  if (labels.includes('error_type'))
    return common.flatMap((one) => [...errors].map((error) => ({ ...one, error_type: error })))
  if (labels.includes('gen_ai_token_type'))
    return common.flatMap((one) => TOKEN_TYPES.map((type) => ({ ...one, gen_ai_token_type: type })))
  return common
}

type MakeHistogram = <L extends string>(
  name: string,
  help: string,
  buckets: readonly number[],
  labels: readonly L[],
) => Histogram<L>

/** Remembers a class of error for which a series exists. */
type NoteError = (error: string) => void

function serverMetrics(histogram: MakeHistogram, noteError: NoteError): Pick<GenAiMetrics, 'served'> {
  const duration = histogram(
    'gen_ai_server_request_duration_seconds',
    'Time from sending a request to a model server to the last byte of the answer.',
    DURATIONS,
    ENDED,
  )
  const firstToken = histogram(
    'gen_ai_server_time_to_first_token_seconds',
    'Time from sending a request to a model server to the first byte of the answer.',
    FIRST_TOKENS,
    LABELS,
  )
  return {
    served: (request, { totalMs, firstByteMs }) => {
      if (totalMs !== undefined) duration.observe(endedLabels(request, noteError), totalMs / 1000)
      if (firstByteMs !== undefined && request.error === undefined)
        firstToken.observe(labelsOf(request), firstByteMs / 1000)
    },
  }
}

/** A hub is a server to its users, and knows the tokens of what it passes on. */
function gatewayMetrics(histogram: MakeHistogram, noteError: NoteError): Pick<GenAiMetrics, 'answered'> {
  const duration = histogram(
    'gen_ai_server_request_duration_seconds',
    'Time from a user’s request to the last byte of the answer.',
    DURATIONS,
    ENDED,
  )
  const firstToken = histogram(
    'gen_ai_server_time_to_first_token_seconds',
    'Time from a user’s request to the first token of the answer.',
    FIRST_TOKENS,
    LABELS,
  )
  const eachToken = histogram(
    'gen_ai_server_time_per_output_token_seconds',
    'Time per token of an answer, after the first.',
    EACH_TOKEN,
    LABELS,
  )
  const used = histogram('gen_ai_client_token_usage', 'Tokens charged for a request.', TOKENS, COUNTED)
  return {
    answered: (request, { totalMs, firstTokenMs, promptTokens, tokens }) => {
      const labels = labelsOf(request)
      duration.observe(endedLabels(request, noteError), totalMs / 1000)
      if (promptTokens > 0) used.observe({ ...labels, gen_ai_token_type: 'input' }, promptTokens)
      if (tokens > 0) used.observe({ ...labels, gen_ai_token_type: 'output' }, tokens)
      if (firstTokenMs === undefined || request.error !== undefined) return
      firstToken.observe(labels, firstTokenMs / 1000)
      if (tokens > 1) eachToken.observe(labels, (totalMs - firstTokenMs) / 1000 / (tokens - 1))
    },
  }
}

function clientMetrics(histogram: MakeHistogram, noteError: NoteError): Pick<GenAiMetrics, 'received'> {
  const duration = histogram(
    'gen_ai_client_operation_duration_seconds',
    'Time from sending a request to a miner to the end of its answer.',
    DURATIONS,
    ENDED,
  )
  const firstChunk = histogram(
    'gen_ai_client_operation_time_to_first_chunk_seconds',
    'Time from sending a request to a miner to the first token of its answer.',
    FIRST_TOKENS,
    LABELS,
  )
  const tokens = histogram('gen_ai_client_token_usage', 'Tokens of the answers of miners.', TOKENS, COUNTED)
  return {
    received: (request, answer) => {
      duration.observe(endedLabels(request, noteError), answer.totalMs / 1000)
      if (answer.firstTokenMs !== undefined) firstChunk.observe(labelsOf(request), answer.firstTokenMs / 1000)
      if (answer.tokens > 0)
        tokens.observe({ ...labelsOf(request), gen_ai_token_type: 'output' }, answer.tokens)
    },
  }
}

function labelsOf({ operation, model }: GenAiRequest) {
  return { gen_ai_operation_name: operation, gen_ai_provider_name: PROVIDER, gen_ai_request_model: model }
}

/** A success has no `error.type`; to Prometheus an empty label is an absent one. */
function endedLabels(request: GenAiRequest, noteError: NoteError) {
  const error = request.error ?? ''
  noteError(error)
  return { ...labelsOf(request), error_type: error }
}
