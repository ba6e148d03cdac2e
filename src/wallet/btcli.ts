/** Where a key is, in the words of the settings. */
export interface WalletPlace {
  readonly name: string
  readonly hotkey: string
  readonly path?: string
}

const DEFAULT_PATH = '~/.bittensor/wallets'

/**
 * The command that creates a hotkey. btcli 9 and 11 share no flag for the name of a wallet: 11 reads the variable, and 9 asks.
 */
export function newHotkeyCommand(place: WalletPlace): string {
  return commandLine(place, 'wallet new-hotkey', [])
}

/** The command that registers a hotkey. @param network name or address; left out for finney, btcli's default. */
export function registerCommand(netuid: number, place: WalletPlace, network = 'finney'): string {
  const chain = network.toLowerCase() === 'finney' ? [] : [`--network ${quoted(network)}`]
  return commandLine(place, `subnets register --netuid ${netuid}`, chain)
}

function commandLine({ name, hotkey, path }: WalletPlace, command: string, more: readonly string[]): string {
  const wallet = name === 'default' ? '' : `BT_WALLET=${quoted(name)} `
  const folder = path === undefined || path === DEFAULT_PATH ? [] : [`--wallet-path ${quoted(path)}`]
  return [`${wallet}btcli ${command}`, `--wallet-hotkey ${quoted(hotkey)}`, ...folder, ...more].join(' ')
}

function quoted(text: string): string {
  return /^[\w@%+=:,./~-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
