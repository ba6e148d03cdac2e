import { TargonError } from '../kernel/index.js'

export interface EngineEndpoint {
  readonly model: string
  /** Base addresses without `/v1`, one per replica. */
  readonly urls: readonly string[]
}

const MODEL_NAME = /^[\w.\-/:]{1,200}$/

/**
 * Parses `model=url[,url…]` items; a model named twice gathers its replicas.
 *
 * @throws TargonError ENGINE_ENDPOINTS (usage)
 */
export function parseEngineEndpoints(items: readonly string[]): EngineEndpoint[] {
  const replicas = new Map<string, string[]>()
  for (const item of items) {
    const at = item.indexOf('=')
    const model = item.slice(0, at)
    if (at < 1 || !MODEL_NAME.test(model)) throw malformed(item, 'it is not model=url')
    const urls = item
      .slice(at + 1)
      .split(',')
      .filter((url) => url !== '')
      .map((url) => parseBaseUrl(item, url))
    if (urls.length === 0) throw malformed(item, 'it names no address')
    replicas.set(model, [...new Set([...(replicas.get(model) ?? []), ...urls])])
  }
  return [...replicas].map(([model, urls]) => ({ model, urls }))
}

/** Accepts the base address and the usual `…/v1` alike. */
function parseBaseUrl(item: string, text: string): string {
  if (!URL.canParse(text)) throw malformed(item, `${text} is not an address`)
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw malformed(item, `${text} is neither http nor https`)
  }
  if (url.username !== '' || url.password !== '')
    throw malformed(
      `${item.slice(0, item.indexOf('='))}=…`,
      'a key in an address shows in lists of processes and in logs; give it by TARGON_ENGINE_API_KEY',
    )
  return `${url.origin}${url.pathname.replace(/\/+$/, '').replace(/\/v1$/, '')}`
}

function malformed(item: string, why: string): TargonError {
  return new TargonError(`The engine endpoint "${item}" cannot be used: ${why}.`, {
    code: 'ENGINE_ENDPOINTS',
    fault: 'usage',
    next: 'Write --engine.endpoints org/model=http://host:8000[,http://host2:8000].',
  })
}
