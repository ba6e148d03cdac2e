import got from 'got'
import { z } from 'zod'
import { messageOf, TargonError } from '../errors.js'
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
    const names = parseModelList(JSON.parse(await fetchLimited(url, signal)))
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

async function fetchLimited(url: string, signal: AbortSignal): Promise<string> {
  const stream = got.stream(url, {
    timeout: { request: TIMEOUT_MS },
    retry: { limit: 0 },
    followRedirect: false,
    decompress: false,
    headers: { accept: 'application/json', 'accept-encoding': 'identity' },
  })
  // Not by got's own `signal`: it keeps listening after the end and then throws where nobody catches.
  const abort = () => stream.destroy(new Error('the request was aborted'))
  signal.addEventListener('abort', abort, { once: true })
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of stream) {
      bytes += chunk.length
      if (bytes > LIMIT_BYTES) throw new Error(`it answers more than ${LIMIT_BYTES} bytes`)
      chunks.push(Buffer.from(chunk))
    }
  } finally {
    signal.removeEventListener('abort', abort)
  }
  return Buffer.concat(chunks).toString('utf8')
}
