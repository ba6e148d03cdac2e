import { TargonError } from '../kernel/index.js'

export interface EngineEndpoint {
  readonly model: string
  /** Base URLs without `/v1`, one per replica. */
  readonly urls: readonly string[]
}

const MODEL_NAME = /^[\w.\-/:]{1,200}$/

/**
 * Parses `model=url[,url…]` items. The URLs of a model that occurs twice are merged.
 *
 * @throws TargonError ENGINE_ENDPOINTS (usage)
 */
export function parseEngineEndpoints(items: readonly string[]): EngineEndpoint[] {
  const replicas = new Map<string, string[]>()
  for (const item of items) {
    const at = item.indexOf('=')
    const model = item.slice(0, at)
    if (at < 1 || !MODEL_NAME.test(model)) throw malformed(item, 'it does not have the form model=url')
    const urls = item
      .slice(at + 1)
      .split(',')
      .filter((url) => url !== '')
      .map((url) => parseBaseUrl(item, url))
    if (urls.length === 0) throw malformed(item, 'it has no URL')
    replicas.set(model, [...new Set([...(replicas.get(model) ?? []), ...urls])])
  }
  return [...replicas].map(([model, urls]) => ({ model, urls }))
}

/** Accepts the base URL with or without `/v1`. */
function parseBaseUrl(item: string, text: string): string {
  if (!URL.canParse(text)) throw malformed(item, `${text} is not a URL`)
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw malformed(item, `${text} is neither an http nor an https URL`)
  }
  if (url.username !== '' || url.password !== '')
    throw malformed(
      `${item.slice(0, item.indexOf('='))}=…`,
      'a key in a URL is visible in process lists and logs; set TARGON_ENGINE_API_KEY instead',
    )
  return `${url.origin}${url.pathname.replace(/\/+$/, '').replace(/\/v1$/, '')}`
}

function malformed(item: string, why: string): TargonError {
  return new TargonError(`Invalid engine endpoint "${item}": ${why}.`, {
    code: 'ENGINE_ENDPOINTS',
    fault: 'usage',
    next: 'Use --engine.endpoints org/model=http://host:8000[,http://host2:8000].',
  })
}
