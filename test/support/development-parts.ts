import { join } from 'node:path'
import { z } from 'zod'
import { startCli } from './cli-process.js'
import { temporaryFolder } from './temporary-folder.js'

const endpoints = z.tuple([
  z.object({ kind: z.literal('chain'), url: z.string(), wallets: z.string() }),
  z.object({ kind: z.literal('engine'), url: z.string() }),
])

/** A development chain and one honest engine, run by the built command line. */
export interface DevelopmentParts {
  /** Variables for a `miner start` that uses them; its state is in `stateFolder`. */
  readonly minerVariables: Readonly<Record<string, string>>
  readonly stateFolder: string
  stop(): Promise<unknown>
}

export async function startDevelopmentParts(): Promise<DevelopmentParts> {
  const folder = temporaryFolder('parts')
  const ports = ['--chain.port', '0', '--engine.port', '0', '--chain.block-time', '200']
  const where = ['--only', 'chain,engine', '--dir', join(folder, 'net'), '--exit-with-stdin']
  const cli = startCli(['localnet', ...where, ...ports])
  await cli.said('"kind":"engine"')
  const lines = cli.stdout().trim().split('\n')
  const [chain, engine] = endpoints.parse(lines.map((line) => JSON.parse(line) as unknown))
  const stateFolder = join(folder, 'neurons')
  return {
    stateFolder,
    minerVariables: {
      TARGON_SUBTENSOR_NETWORK: 'local',
      TARGON_SUBTENSOR_CHAIN_ENDPOINT: chain.url,
      TARGON_WALLET_PATH: chain.wallets,
      TARGON_WALLET_NAME: 'localnet',
      TARGON_WALLET_HOTKEY: 'honest-fast',
      TARGON_MODEL_ENDPOINT: `${engine.url}/v1`,
      TARGON_AXON_IP: '127.0.0.1',
      TARGON_AXON_PORT: '0',
      TARGON_AXON_EXTERNAL_IP: '127.0.0.1',
      TARGON_METRICS_PORT: '0',
      TARGON_LOGGING_LOGGING_DIR: stateFolder,
    },
    stop: () => cli.stop(),
  }
}
