import type { Context, MinerContext, ValidatorContext } from './context.js'

/** The chain's endpoints; none when the settings name no valid ones, which is the finding of another check. */
export async function chainServers({ settings, reading }: Context): Promise<readonly string[]> {
  const { networkEndpoints } = await import('../chain/index.js')
  return readable(() => {
    const { endpoints } = networkEndpoints({
      network: settings['subtensor.network'],
      endpoints: settings['subtensor.chain_endpoint'],
      fallbacks: settings['subtensor.fallback_endpoints'],
      networkGiven: reading.isNetworkGiven,
    })
    return endpoints
  })
}

/** The chain's endpoints and the model servers. */
export async function minerServers(context: MinerContext): Promise<readonly string[]> {
  const { readUpstreams } = await import('../roles/miner/serving/index.js')
  const upstreams = readable(() => readUpstreams(context.settings).map(({ url }) => url))
  return [...(await chainServers(context)), ...upstreams]
}

/** The chain's endpoints, the engines and the hub of organics. */
export async function validatorServers(context: ValidatorContext): Promise<readonly string[]> {
  const { parseEngineEndpoints } = await import('../engine/index.js')
  const { settings } = context
  const engines = readable(() =>
    parseEngineEndpoints(settings['engine.endpoints']).flatMap(({ urls }) => urls),
  )
  const hub = settings['hub.url']
  return [...(await chainServers(context)), ...engines, ...(URL.canParse(hub) ? [hub] : [])]
}

function readable(read: () => readonly string[]): readonly string[] {
  try {
    return read()
  } catch {
    return []
  }
}
