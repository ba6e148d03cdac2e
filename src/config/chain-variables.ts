import { describeOrigin, type Origin, rankOf } from './origin.js'

/** The variables of one environment: of the process, or of a `.env` file. */
export interface VariableLayer {
  readonly values: ReadonlyMap<string, string>
  readonly originOf: (variable: string) => Origin
}

/**
 * Variables that mean the same: names of the Python SDK up to 10, and the names that replaced them in 11. The endpoint of
 * SDK 11 is that of the network `local`.
 */
const FAMILIES = [
  {
    what: 'the chain',
    earlier: ['BT_SUBTENSOR_NETWORK', 'BT_SUBTENSOR_CHAIN_ENDPOINT'],
    later: ['BT_NETWORK', 'BT_CHAIN_ENDPOINT', 'BT_FALLBACK_ENDPOINTS'],
  },
  { what: 'the wallet', earlier: ['BT_WALLET_NAME'], later: ['BT_WALLET'] },
] as const

/** Networks whose endpoints are known by their genesis, or are the user's own: any endpoint can be combined with them. */
const COMBINABLE = ['finney', 'archive', 'local']

/**
 * The layers with one family of names: where an earlier name is set, the later ones are left out everywhere, so that the
 * network of one family is never combined with the endpoint of the other.
 */
export function withOneFamily(layers: readonly VariableLayer[], warnings: string[]): VariableLayer[] {
  const dropped = new Set<string>()
  for (const { what, earlier, later } of FAMILIES) {
    const chosen = earlier.filter((name) => layers.some(({ values }) => values.get(name)))
    const others = later.filter((name) => layers.some(({ values }) => values.get(name)))
    if (chosen.length === 0 || others.length === 0) continue
    for (const name of others) dropped.add(name)
    const differing = others.filter((name) => !isRepeated(name, chosen, layers))
    if (differing.length > 0)
      warnings.push(
        `${differing.join(', ')} ${verb(differing)} ignored: ${chosen.join(', ')} chose ${what} first.`,
      )
  }
  if (dropped.size === 0) return [...layers]
  return layers.map(({ values, originOf }) => ({
    values: new Map([...values].filter(([name]) => !dropped.has(name))),
    originOf,
  }))
}

function isRepeated(name: string, chosen: readonly string[], layers: readonly VariableLayer[]): boolean {
  const value = layers.map(({ values }) => values.get(name)).find(Boolean)
  return chosen.some((other) => layers.some(({ values }) => values.get(other) === value))
}

function verb(names: readonly string[]): string {
  return names.length === 1 ? 'is' : 'are'
}

/**
 * Empties endpoints that do not belong to the chosen network: those of a weaker source than the network's, and the endpoint
 * of SDK 11 beside a network other than `local`. Each is told in a warning.
 */
export function dropForeignEndpoints(
  values: Record<string, unknown>,
  origins: Readonly<Record<string, Origin>>,
  warnings: string[],
): void {
  const network = origins['subtensor.network']
  const endpoint = origins['subtensor.chain_endpoint']
  const fallback = origins['subtensor.fallback_endpoints']
  const name = String(values['subtensor.network']).toLowerCase()
  const drop = (setting: string, origin: Origin, because: string) => {
    warnings.push(`${describeOrigin(origin)} is ignored: ${because}.`)
    values[setting] = setting === 'subtensor.chain_endpoint' ? [] : undefined
  }
  if (!network || !endpoint || !fallback) return
  let isEndpointUsed = isGiven(endpoint)
  if (isGiven(endpoint) && isGiven(network) && name !== 'local') {
    const isOfLocal = 'name' in endpoint && endpoint.name === 'BT_CHAIN_ENDPOINT'
    const isWeaker = !COMBINABLE.includes(name) && rankOf(network) < rankOf(endpoint)
    if (isOfLocal) drop('subtensor.chain_endpoint', endpoint, 'it is the endpoint of the network local')
    else if (isWeaker)
      drop('subtensor.chain_endpoint', endpoint, `${describeOrigin(network)} chose the network`)
    isEndpointUsed = !isOfLocal && !isWeaker
  }
  if (!isGiven(fallback)) return
  const chooser = isEndpointUsed ? endpoint : network
  if (
    isGiven(chooser) &&
    rankOf(chooser) < rankOf(fallback) &&
    (isEndpointUsed || !COMBINABLE.includes(name))
  )
    drop('subtensor.fallback_endpoints', fallback, `${describeOrigin(chooser)} chose the chain`)
}

function isGiven(origin: Origin): boolean {
  return origin.kind !== 'default'
}
