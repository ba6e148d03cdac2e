import { z } from 'zod'
import { download, messageOf, parseJson, TargonError } from '../kernel/index.js'
import { isModelName, MODEL_LIMIT } from './model-name.js'

const LIMIT_BYTES = 256 * 1024
const LIST_JSON = { depth: 16, values: 65_536 }
const TIMEOUT_MS = 5_000

/** `["org/model"]`, `[{model, context_length}]`, or OpenAI's `{data: [{id}]}`: the shapes the endpoint has used. */
const listSchema = z.union([
  z.array(z.unknown()),
  z.object({ data: z.array(z.unknown()) }).transform(({ data }) => data),
])
const entrySchema = z.union([
  z.string(),
  z.object({ model: z.string() }).transform(({ model }) => model),
  z.object({ id: z.string() }).transform(({ id }) => id),
])

/** The valid names of the list in order, without duplicates; invalid entries are ignored. */
export function parseModelList(body: unknown): string[] {
  const list = listSchema.safeParse(body)
  if (!list.success) return []
  const names = list.data.flatMap((entry) => {
    const name = entrySchema.safeParse(entry)
    return name.success && isModelName(name.data) ? [name.data] : []
  })
  return [...new Set(names)].slice(0, MODEL_LIMIT)
}

/** @throws TargonError MODELS_ENDPOINT (upstream) when it is unreachable, slow, too large or lists no valid model */
export async function fetchModelList(url: string, signal: AbortSignal): Promise<string[]> {
  try {
    const headers = { accept: 'application/json' }
    const body = await download(url, { limitBytes: LIMIT_BYTES, timeoutMs: TIMEOUT_MS, signal, headers })
    const names = parseModelList(parseJson(body.toString('utf8'), LIST_JSON))
    if (names.length === 0) throw new Error('the response lists no valid model name')
    return names
  } catch (error) {
    signal.throwIfAborted()
    throw new TargonError(
      `The model list could not be loaded from ${url}: ${messageOf(error)}.`,
      {
        code: 'MODELS_ENDPOINT',
        fault: 'upstream',
        next: 'Check --models.endpoint, or use another --models.mode.',
      },
      { cause: error },
    )
  }
}
