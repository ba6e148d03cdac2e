import { z } from 'zod'
import { download, messageOf, TargonError } from '../kernel/index.js'
import { isModelName, MODEL_LIMIT } from './model-name.js'

const LIMIT_BYTES = 256 * 1024
const TIMEOUT_MS = 5_000

/** `["org/model"]`, `[{model, context_length}]`, or OpenAI's `{data: [{id}]}`: the endpoint changed its shape twice. */
const listSchema = z.union([
  z.array(z.unknown()),
  z.object({ data: z.array(z.unknown()) }).transform(({ data }) => data),
])
const entrySchema = z.union([
  z.string(),
  z.object({ model: z.string() }).transform(({ model }) => model),
  z.object({ id: z.string() }).transform(({ id }) => id),
])

/** Sound names of the list, each once, in order; entries that are none are left out. */
export function parseModelList(body: unknown): string[] {
  const list = listSchema.safeParse(body)
  if (!list.success) return []
  const names = list.data.flatMap((entry) => {
    const name = entrySchema.safeParse(entry)
    return name.success && isModelName(name.data) ? [name.data] : []
  })
  return [...new Set(names)].slice(0, MODEL_LIMIT)
}

/** @throws TargonError MODELS_ENDPOINT (upstream) when it is down, slow, too large or lists no model */
export async function fetchModelList(url: string, signal: AbortSignal): Promise<string[]> {
  try {
    const headers = { accept: 'application/json' }
    const body = await download(url, { limitBytes: LIMIT_BYTES, timeoutMs: TIMEOUT_MS, signal, headers })
    const names = parseModelList(JSON.parse(body.toString('utf8')))
    if (names.length === 0) throw new Error('it lists no model')
    return names
  } catch (error) {
    signal.throwIfAborted()
    throw new TargonError(
      `The models endpoint ${url} cannot be used: ${messageOf(error)}.`,
      {
        code: 'MODELS_ENDPOINT',
        fault: 'upstream',
        next: 'Check --models.endpoint, or take another --models.mode.',
      },
      { cause: error },
    )
  }
}
