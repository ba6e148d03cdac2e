import { z } from 'zod'
import { parseReply } from './parse-reply.js'

/** Model names that are safe to pass on to validators, logs and URLs. */
const modelName = z.string().regex(/^[\w.\-/:@+]{1,200}$/)

const modelList = z.object({ data: z.array(z.object({ id: z.unknown(), owned_by: z.unknown().optional() })) })

const MAX_MODELS = 512

/** Names in a response of GET /v1/models; undefined when it is not a model list. Unsafe names are left out. */
export function readModelList(text: string): string[] | undefined {
  const parsed = modelList.safeParse(parseReply(text))
  if (!parsed.success) return undefined
  const names = parsed.data.data.flatMap(({ id }) => {
    const name = modelName.safeParse(id)
    return name.success ? [name.data] : []
  })
  return [...new Set(names)].slice(0, MAX_MODELS)
}

/** Who owns the models of such a response: vLLM gives its own name, a gateway another, some servers none. */
export function readModelOwner(text: string): 'vllm' | 'other' | 'unnamed' {
  const parsed = modelList.safeParse(parseReply(text))
  const owners = parsed.success ? parsed.data.data.map((model) => model.owned_by) : []
  if (owners.includes('vllm')) return 'vllm'
  return owners.some((owner) => typeof owner === 'string') ? 'other' : 'unnamed'
}

/**
 * Models an upstream serves: the configured ones, or those it lists, plus every alias whose target it has.
 *
 * @param listed undefined when the server has no list; then the configuration is trusted.
 */
export function servedNames(
  configured: readonly string[],
  aliases: Readonly<Record<string, string>>,
  listed: readonly string[] | undefined,
): Set<string> {
  const names = configured.length > 0 ? configured : (listed ?? [])
  const requested = [...names, ...Object.keys(aliases)]
  if (listed === undefined) return new Set(requested)
  const available = new Set(listed)
  return new Set(requested.filter((name) => available.has(targetName(aliases, name))))
}

/** The name of a model at the upstream. */
export function targetName(aliases: Readonly<Record<string, string>>, name: string): string {
  return Object.hasOwn(aliases, name) ? (aliases[name] ?? name) : name
}
