import type { MinerSettings } from '../../../config/index.js'
import { TargonError } from '../../../kernel/index.js'
import type { UpstreamSettings } from '../../../routing/index.js'

type RoutingSettings = Pick<
  MinerSettings,
  | 'upstreams'
  | 'model-endpoint'
  | 'api-key'
  | 'routing.max-in-flight'
  | 'routing.add-token-ids'
  | 'routing.ask-health'
>

/**
 * The configured model servers: the `upstreams` section, else one per `--model-endpoint`.
 *
 * @throws TargonError BAD_UPSTREAM (fault usage) for an invalid or duplicate URL.
 */
export function readUpstreams(settings: RoutingSettings): UpstreamSettings[] {
  const entries =
    settings.upstreams.length > 0 ? settings.upstreams : settings['model-endpoint'].map((url) => ({ url }))
  const upstreams = entries.map((entry): UpstreamSettings => {
    const { url, ...given }: (typeof settings.upstreams)[number] = entry
    return {
      url: readUrl(url),
      apiKey: given.apiKey ?? settings['api-key'],
      weight: given.weight ?? 1,
      maxInFlight: given.maxInFlight ?? settings['routing.max-in-flight'],
      models: given.models ?? [],
      aliases: given.aliases ?? {},
      addTokenIds: settings['routing.add-token-ids'],
      askHealth: settings['routing.ask-health'],
    }
  })
  const seen = new Set<string>()
  for (const { url } of upstreams) {
    if (seen.has(url)) throw badUpstream(url, 'is listed twice')
    seen.add(url)
  }
  return upstreams
}

function readUrl(text: string): string {
  const full = text.includes('://') ? text : `http://${text}`
  if (!URL.canParse(full)) throw badUpstream(text, 'is not an HTTP URL')
  const address = new URL(full)
  if (!/^https?:$/.test(address.protocol)) throw badUpstream(text, 'is not an HTTP URL')
  if (address.username !== '' || address.password !== '') {
    throw badUpstream(address.host, 'contains a user name or password; use the API key instead')
  }
  return `${address.origin}${address.pathname.replace(/\/+$/, '')}`
}

function badUpstream(url: string, why: string): TargonError {
  return new TargonError(`The model server ${url} ${why}.`, {
    code: 'BAD_UPSTREAM',
    fault: 'usage',
    next: 'Give URLs like http://127.0.0.1:8000/v1 with --model-endpoint or in the upstreams section.',
  })
}
