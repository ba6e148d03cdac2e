/** Loads hotkeys from Bittensor wallets, decrypts them and signs with them; writes wallets of development networks. */

export { newHotkeyCommand, registerCommand, type WalletPlace } from './btcli.js'
export { type DevelopmentHotkey, writeDevelopmentWallet } from './development-wallet.js'
export { type FoundHotkey, findHotkeys } from './find-hotkeys.js'
export { type HotkeyLocation, loadHotkey, type Signer, signerOf } from './hotkey.js'
export { type PasswordSources, passwordVariable } from './password.js'
