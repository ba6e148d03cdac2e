import { isJsonObject, type JsonObject } from '../kernel/index.js'

/** Members that never have media: schemas and labels may have members of any name. */
const WITHOUT_MEDIA = new Set(['tools', 'functions', 'metadata', 'response_format', 'text'])

/** `url`, `image_url`, `file_url` and the like, as OpenAI, vLLM and Anthropic name the address of a file. */
const ADDRESS = /(^|_)ur[il]$/

/**
 * The first address of a file in a request that a model server would have to fetch; undefined when all files are in the request
 * itself, as `data:` addresses. A server that fetches what a stranger names can be made to read its own network.
 *
 * @returns where it stands, such as `messages[0].content[1].image_url.url`
 */
export function findDistantMedia(body: JsonObject): string | undefined {
  for (const [name, value] of Object.entries(body)) {
    const place = WITHOUT_MEDIA.has(name) ? undefined : findIn(value, name)
    if (place !== undefined) return place
  }
  return undefined
}

/** The nesting of the body must be bounded. */
function findIn(value: unknown, place: string): string | undefined {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const found = findIn(item, `${place}[${index}]`)
      if (found !== undefined) return found
    }
    return undefined
  }
  if (!isJsonObject(value)) return undefined
  for (const [name, member] of Object.entries(value)) {
    const at = `${place}.${name.slice(0, 64)}`
    if (ADDRESS.test(name) && typeof member === 'string' && !isInline(member)) return at
    const found = findIn(member, at)
    if (found !== undefined) return found
  }
  return undefined
}

function isInline(address: string): boolean {
  return /^data:/i.test(address)
}
