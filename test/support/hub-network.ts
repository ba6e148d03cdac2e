import { join } from 'node:path'
import { z } from 'zod'
import { type CliProcess, runCli, startCli } from './cli-process.js'
import { temporaryFolder } from './temporary-folder.js'

const part = z.object({ kind: z.string(), url: z.string() })
const created = z.object({ id: z.string(), secret: z.string() })

export interface HubReplica {
  readonly cli: CliProcess
  readonly url: string
  readonly port: number
  readonly statusUrl: string
}

/** The built commands on a development chain, with miners of development engines: what hubs stand in front of. */
export interface HubNetwork {
  /** Starts `targon hub start` with the hotkey of the localnet's hub. @param name of its state folder */
  startHub(name: string, ...flags: string[]): Promise<HubReplica>
  /** Creates a key with `targon hub keys create`. */
  createKey(...flags: string[]): Promise<z.output<typeof created>>
  stop(): Promise<void>
}

/** Miners of the localnet, by their hotkeys. */
const MINERS = ['honest-fast', 'honest-medium']

/**
 * @param database URL of a PostgreSQL database for the keys
 * @param model what the miners serve, at `tokensPerSecond`
 */
export async function startHubNetwork(
  database: string,
  { model, tokensPerSecond }: { readonly model: string; readonly tokensPerSecond: number },
): Promise<HubNetwork> {
  const folder = temporaryFolder('hub-network')
  const running: CliProcess[] = []
  const start = (...argv: string[]): CliProcess => {
    const cli = startCli([...argv, '--exit-with-stdin'])
    running.push(cli)
    return cli
  }
  const stateOf = (hotkey: string) => [
    ...['--wallet.name', 'localnet', '--wallet.hotkey', hotkey],
    ...['--logging.logging_dir', join(folder, 'neurons')],
  ]
  const ports = ['--chain.port', '0', '--engine.port', '0', '--chain.block-time', '500']
  const engines = ['--engine.serve', `honest@${tokensPerSecond}=${model}`]
  const parts = start('localnet', '--only', 'chain,engine', '--hub', '--dir', folder, ...ports, ...engines)
  await parts.said('Press Ctrl-C')
  const urls = parts
    .stdout()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => part.parse(JSON.parse(line)))
  const urlOf = (kind: string) => urls.find((one) => one.kind === kind)?.url ?? ''
  const node = (hotkey: string) => [
    ...['--subtensor.network', 'local', '--subtensor.chain_endpoint', urlOf('chain'), '--metrics.port', '0'],
    ...['--wallet.path', join(folder, 'wallets'), ...stateOf(hotkey)],
  ]
  const axon = ['--axon.ip', '127.0.0.1', '--axon.port', '0', '--axon.external_ip', '127.0.0.1']
  const miners = MINERS.map((hotkey) =>
    start('miner', 'start', ...node(hotkey), ...axon, '--model-endpoint', `${urlOf('engine')}/v1`),
  )
  await Promise.all(miners.map((miner) => miner.ready()))
  const ofHub = ['--database.url', database]
  return {
    startHub: async (name, ...flags) => {
      const settings = ['--neuron.name', name, '--hub.refresh', '2', '--allow-private-axons', ...ofHub]
      const cli = start('hub', 'start', ...node('hub'), ...settings, ...flags)
      let statusUrl = ''
      cli.child.on('message', (message) => {
        statusUrl = z.object({ statusUrl: z.string() }).safeParse(message).data?.statusUrl ?? statusUrl
      })
      await cli.ready()
      const { url } = z.object({ url: z.string() }).parse(await (await fetch(`${statusUrl}/status`)).json())
      return { cli, url, port: Number(new URL(url).port), statusUrl }
    },
    createKey: async (...flags) => {
      const key = await runCli([
        'hub',
        'keys',
        'create',
        'test',
        ...stateOf('hub'),
        ...ofHub,
        '--json',
        ...flags,
      ])
      return created.parse(JSON.parse(key.stdout))
    },
    stop: async () => {
      for (const cli of running.reverse()) await cli.stop()
    },
  }
}
