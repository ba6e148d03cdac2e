import { join } from 'node:path'
import { z } from 'zod'
import { LOCALNET_MODELS, VALIDATOR_NAME } from '../../src/localnet/network/cast.js'
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
  /** Variables for a `validator start` that verifies that miner, with an epoch of 30 blocks and no automatic update. */
  readonly validatorVariables: Readonly<Record<string, string>>
  /** Variables for a `hub start` that asks that miner with the hotkey of the validator, and for commands on its keys. */
  readonly hubVariables: Readonly<Record<string, string>>
  readonly stateFolder: string
  /** Text of a `models.txt` for a validator that cannot read the file of `validatorVariables`. */
  readonly models: string
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
  const place = {
    TARGON_SUBTENSOR_NETWORK: 'local',
    TARGON_SUBTENSOR_CHAIN_ENDPOINT: chain.url,
    TARGON_WALLET_PATH: chain.wallets,
    TARGON_WALLET_NAME: 'localnet',
    TARGON_METRICS_PORT: '0',
    TARGON_LOGGING_LOGGING_DIR: stateFolder,
  }
  return {
    stateFolder,
    models: `${LOCALNET_MODELS[0]}\n`,
    validatorVariables: {
      ...place,
      TARGON_WALLET_HOTKEY: VALIDATOR_NAME,
      TARGON_MODELS_MODE: 'config',
      TARGON_MODELS_FILE: join(folder, 'net', 'models.txt'),
      TARGON_ENGINE_ENDPOINTS: `${LOCALNET_MODELS[0]}=${engine.url}/v1`,
      TARGON_ENGINE_HUB_URL: engine.url,
      TARGON_EPOCH_LENGTH: '30',
      TARGON_ROUND_MAX_TOKENS: '96-192',
      TARGON_ROUND_PAUSE: '250',
      TARGON_ROUND_STALL_LIMIT: '1000',
      TARGON_DATASET_URL: 'off',
      TARGON_HUB_URL: 'off',
      TARGON_HISTORY: 'false',
      TARGON_ALLOW_PRIVATE_AXONS: 'true',
      TARGON_I_AM_ALONE: 'true',
      TARGON_AUTOUPDATE_OFF: 'true',
    },
    hubVariables: {
      ...place,
      TARGON_WALLET_HOTKEY: VALIDATOR_NAME,
      TARGON_HUB_PORT: '0',
      TARGON_HUB_REFRESH: '5',
      TARGON_HUB_BUCKET_AGE: '15',
      TARGON_ALLOW_PRIVATE_AXONS: 'true',
    },
    minerVariables: {
      ...place,
      TARGON_WALLET_HOTKEY: 'honest-fast',
      TARGON_MODEL_ENDPOINT: `${engine.url}/v1`,
      TARGON_AXON_IP: '127.0.0.1',
      TARGON_AXON_PORT: '0',
      TARGON_AXON_EXTERNAL_IP: '127.0.0.1',
    },
    stop: () => cli.stop(),
  }
}
