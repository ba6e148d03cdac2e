import { LOCALNET_MODELS, VALIDATOR_NAME, WALLET_NAME } from './cast.js'

export interface RoleCommandOptions {
  /** How this program was started: `node bin/run.js`. */
  readonly program: string
  /** Folder of the network as it was given: `./localnet`. */
  readonly folder: string
  readonly chainUrl: string
  readonly engineUrl: string
  readonly epochBlocks: number
}

/** One command per role, as they are typed in other terminals against a running chain and engine. */
export function roleCommands(options: RoleCommandOptions): string[] {
  const { program, folder, chainUrl, engineUrl } = options
  const wallet = `--wallet.path ${folder}/wallets --wallet.name ${WALLET_NAME} --wallet.hotkey`
  const chain = `--subtensor.chain_endpoint ${chainUrl}`
  const state = `--logging.logging_dir ${folder}/neurons`
  const [model = ''] = LOCALNET_MODELS
  return [
    `${program} miner start ${wallet} honest-fast \\
  ${chain} --model-endpoint ${engineUrl}/v1 \\
  --axon.external_ip 127.0.0.1 ${state}`,
    `${program} validator start ${wallet} ${VALIDATOR_NAME} \\
  ${chain} --models.mode config --models.file ${folder}/models.txt \\
  --engine.endpoints ${model}=${engineUrl}/v1 --engine.hub-url ${engineUrl} \\
  --epoch-length ${options.epochBlocks} --round.max-tokens 96-192 --hub.url off --allow-private-axons \\
  ${state}`,
    `${program} query "What does a validator do?" ${wallet} ${VALIDATOR_NAME} \\
  ${chain} --allow-private-axons --uid 1`,
  ]
}
