import { z } from 'zod'
import { messageOf } from '../kernel/index.js'
import { engineError, isEngineError } from './engine-error.js'
import type { FileFacts } from './model-files.js'
import { parseScoring, scoringBody } from './scoring-call.js'
import type { CallOptions, EngineServer } from './server.js'
import type { ModelFacts, Reference } from './types.js'

const modelsSchema = z.object({
  data: z.array(z.object({ id: z.string(), max_model_len: z.number().int().positive().nullish() })),
})
const tokensSchema = z.object({ tokens: z.array(z.number().int().min(0)) })
const versionSchema = z.object({ version: z.string() })

const END_OF_TURN = '<|eot_id|>'
const WANTED_LOGPROBS = 20
const PROBE_TEXT = 'The capital of France is Paris, and the capital of Italy is'

export interface ProbeResult {
  readonly facts: ModelFacts
  readonly version: string
}

/**
 * Finds out what a server is: its models, dialect, number of logprobs, and whether they are raw or temperature-scaled.
 *
 * @throws TargonError ENGINE_UNAVAILABLE or ENGINE_ANSWER naming why the server cannot be used
 */
export async function probeServer(
  server: EngineServer,
  model: string,
  files: FileFacts,
  options: CallOptions,
): Promise<ProbeResult> {
  const version = await readVersion(server, options)
  const maxModelLength = await findModel(server, model, options)
  const tokenize = async (body: Record<string, unknown>) =>
    tokensSchema.parse(await server.post('/tokenize', { model, ...body }, options)).tokens
  const text = await tokenize({ prompt: PROBE_TEXT, add_special_tokens: true })
  const idOf = async (token: string) => {
    const ids = await tokenize({ prompt: token, add_special_tokens: false })
    return ids.length === 1 ? ids[0] : undefined
  }
  const endOfTurnId = await idOf(END_OF_TURN)
  const chat = await tokenize({
    messages: [{ role: 'user', content: PROBE_TEXT }],
    add_generation_prompt: true,
    add_special_tokens: false,
  }).catch((error: unknown) => {
    // vLLM returns a 4xx when the tokenizer has no chat template; anything else is a fault.
    if (isEngineError(error, 'ENGINE_REFUSED')) return []
    throw error
  })
  const { dialect, maxLogprobs } = await probeDialect(server, model, text, options)
  const { eosToken, ...fileFacts } = files
  return {
    version,
    facts: {
      ...fileFacts,
      tokenizerEosId: files.tokenizerEosId ?? (eosToken === undefined ? undefined : await idOf(eosToken)),
      endOfTurnId,
      endpoints: chat.length > 0 ? ['chat', 'completion'] : ['completion'],
      maxLogprobs,
      dialect,
      scaledLogprobs: await probeScaling(server, model, text, dialect, options),
      maxModelLength,
    },
  }
}

async function readVersion(server: EngineServer, options: CallOptions): Promise<string> {
  return versionSchema.safeParse(await server.getJson('/version', options)).data?.version ?? 'unknown'
}

async function findModel(
  server: EngineServer,
  model: string,
  options: CallOptions,
): Promise<number | undefined> {
  const list = modelsSchema.safeParse(await server.getJson('/v1/models', options))
  if (!list.success)
    throw engineError(
      'ENGINE_ANSWER',
      `${server.url}/v1/models did not return a list of models; is this vLLM?`,
    )
  const entry = list.data.data.find(({ id }) => id === model)
  if (!entry) {
    const served = list.data.data.map(({ id }) => id.slice(0, 100)).slice(0, 5)
    throw engineError('ENGINE_UNAVAILABLE', `${server.url} serves ${served.join(', ')} instead of ${model}.`)
  }
  return entry.max_model_len ?? undefined
}

/** The current dialect accepts the request field for token ids; 0.6.x rejects it and needs the server flag. */
async function probeDialect(
  server: EngineServer,
  model: string,
  ids: readonly number[],
  options: CallOptions,
): Promise<Pick<ModelFacts, 'dialect' | 'maxLogprobs'>> {
  let refused: unknown
  const attempt = async (dialect: ModelFacts['dialect'], topK: number) => {
    try {
      await scoreProbe(server, model, ids, 1, topK, dialect, options)
      return { dialect, maxLogprobs: topK }
    } catch (error) {
      if (!isEngineError(error, 'ENGINE_REFUSED')) throw error
      refused = error
      return undefined
    }
  }
  for (const dialect of ['v1', 'v0'] as const) {
    const full = await attempt(dialect, WANTED_LOGPROBS)
    if (full) return full
    const allowed = allowedLogprobs(refused)
    const fewer = allowed === undefined ? undefined : await attempt(dialect, allowed)
    if (fewer) return fewer
  }
  throw engineError('ENGINE_UNAVAILABLE', `${server.url} rejects scoring calls: ${messageOf(refused)}`)
}

/** "Cannot request more than 5 logprobs." or "… greater than max allowed: 5". */
function allowedLogprobs(error: unknown): number | undefined {
  const match = /(?:more than|max allowed:?) (\d+)/.exec(error === undefined ? '' : messageOf(error))
  const allowed = Number(match?.[1] ?? 0)
  return allowed >= 1 && allowed < WANTED_LOGPROBS ? allowed : undefined
}

/** Scores one text at two temperatures: raw logprobs stay the same, scaled ones change. */
async function probeScaling(
  server: EngineServer,
  model: string,
  ids: readonly number[],
  dialect: ModelFacts['dialect'],
  options: CallOptions,
): Promise<boolean> {
  const [warm, cool] = await Promise.all(
    [1, 0.5].map((temperature) => scoreProbe(server, model, ids, temperature, 1, dialect, options)),
  )
  if (!warm || !cool) return false
  let difference = 0
  for (const [index, position] of warm.positions.entries()) {
    for (const [id, { logprob }] of position) {
      difference = Math.max(
        difference,
        Math.abs(logprob - (cool.positions[index]?.get(id)?.logprob ?? logprob)),
      )
    }
  }
  // Raw values differ only by numeric noise; scaled ones by a multiple of every logprob that is not 0.
  return difference > 0.3
}

async function scoreProbe(
  server: EngineServer,
  model: string,
  ids: readonly number[],
  temperature: number,
  topK: number,
  dialect: ModelFacts['dialect'],
  options: CallOptions,
): Promise<Reference> {
  const request = { input: ids.slice(0, 1), output: ids.slice(1), temperature, topK }
  const response = await server.post('/v1/completions', scoringBody(model, [request], dialect), options)
  const [reference] = parseScoring(response, [request])
  if (!reference) throw engineError('ENGINE_ANSWER', 'The engine scored nothing.')
  return reference
}
