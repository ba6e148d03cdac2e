import { z } from 'zod'
import { type Clock, messageOf, parseJson, withDeadline } from '../kernel/index.js'

/** What a model server says when it is asked for its models. */
export type ProbedModels =
  | { readonly kind: 'serves'; readonly models: readonly string[]; readonly returnsTokenIds: boolean }
  /** It wants a key, or another one. */
  | { readonly kind: 'locked' }
  | { readonly kind: 'silent'; readonly reason: string }

const TIMEOUT_MS = 10_000
const MOST_BYTES = 1024 * 1024

const modelsSchema = z.object({ data: z.array(z.object({ id: z.string().max(200) })).max(1000) })
const completionSchema = z.object({
  choices: z.array(z.object({ logprobs: z.object({ tokens: z.array(z.string()) }).nullish() })).min(1),
})

/** The address of a server without `/v1`; undefined when it is not an HTTP address. */
export function baseUrlOf(typed: string): string | undefined {
  const full = typed.includes('://') ? typed : `http://${typed}`
  if (!URL.canParse(full)) return undefined
  const url = new URL(full)
  if (!/^https?:$/.test(url.protocol) || url.username !== '') return undefined
  return `${url.origin}${url.pathname.replace(/\/+$/, '').replace(/\/v1$/, '')}`
}

/** Asks a server for its models, and one of them for a token with its log probability. */
export async function probeModels(
  baseUrl: string,
  apiKey: string | undefined,
  clock: Clock,
  signal: AbortSignal,
): Promise<ProbedModels> {
  const call = async (path: string, body?: object) =>
    await withDeadline(clock, `the answer of ${baseUrl}`, TIMEOUT_MS, signal, async (own) => {
      const headers = {
        ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
        ...(body ? { 'content-type': 'application/json' } : {}),
      }
      const init = body ? { method: 'POST', body: JSON.stringify(body) } : {}
      const response = await fetch(baseUrl + path, { ...init, headers, signal: own, redirect: 'manual' })
      return { status: response.status, document: parseJson(await readBounded(response)) }
    })
  try {
    const { status, document } = await call('/v1/models')
    if (status === 401 || status === 403) return { kind: 'locked' }
    const list = modelsSchema.safeParse(document)
    if (!list.success) return { kind: 'silent', reason: `it answers ${status} without a list of models` }
    const models = list.data.data.map(({ id }) => id)
    const [model] = models
    if (model === undefined) return { kind: 'silent', reason: 'it serves no model' }
    const request = { model, prompt: 'One', max_tokens: 1, logprobs: 1 }
    const answer = completionSchema.safeParse((await call('/v1/completions', request)).document)
    const tokens = answer.data?.choices[0]?.logprobs?.tokens ?? []
    return { kind: 'serves', models, returnsTokenIds: tokens[0]?.startsWith('token_id:') ?? false }
  } catch (error) {
    signal.throwIfAborted()
    const inner = error instanceof Error && error.cause !== undefined ? error.cause : error
    return { kind: 'silent', reason: messageOf(inner).replace(/\.$/, '') }
  }
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk)
    size += chunk.length
    if (size > MOST_BYTES) return ''
  }
  return Buffer.concat(chunks).toString('utf8')
}
