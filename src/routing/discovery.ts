import { z } from 'zod'
import { parseJson } from '../kernel/index.js'

/** Names that may travel on: into a list for validators, logs and the chain of a URL. */
const modelName = z.string().regex(/^[\w.\-/:@+]{1,200}$/)

const modelList = z.object({ data: z.array(z.object({ id: z.unknown() })) })

const MAX_MODELS = 512

/** Names in an answer of GET /v1/models; undefined when it is none. Odd names are left out. */
export function readModelList(text: string): string[] | undefined {
  const parsed = modelList.safeParse(parseJson(text))
  if (!parsed.success) return undefined
  const names = parsed.data.data.flatMap(({ id }) => {
    const name = modelName.safeParse(id)
    return name.success ? [name.data] : []
  })
  return [...new Set(names)].slice(0, MAX_MODELS)
}

/**
 * Names an upstream answers to: those configured, or those it lists, and every alias whose target it has.
 * `listed` is undefined when the server has no list; then the configuration is believed.
 */
export function servedNames(
  configured: readonly string[],
  aliases: Readonly<Record<string, string>>,
  listed: readonly string[] | undefined,
): Set<string> {
  const names = configured.length > 0 ? configured : (listed ?? [])
  const wanted = [...names, ...Object.keys(aliases)]
  if (listed === undefined) return new Set(wanted)
  const has = new Set(listed)
  return new Set(wanted.filter((name) => has.has(targetName(aliases, name))))
}

/** What `name` is called at the upstream. */
export function targetName(aliases: Readonly<Record<string, string>>, name: string): string {
  return Object.hasOwn(aliases, name) ? (aliases[name] ?? name) : name
}
