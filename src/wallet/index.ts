export { type DevelopmentHotkey, writeDevelopmentWallet } from './development-wallet.js'
export { type HotkeyLocation, loadHotkey, signerOf } from './hotkey.js'
export { type PasswordSources, passwordVariable } from './password.js'
export type { Signer } from './signer.js'
