import { join, resolve } from 'node:path'
import { addressOf, expandHome, initSr25519, type Sr25519Pair, sign } from '../kernel/index.js'
import { decryptKeyFile } from './encryption.js'
import { readSecretFile } from './key-file.js'
import { pairFromKeyText } from './key-text.js'
import type { PasswordSources } from './password.js'
import type { Signer } from './signer.js'
import { walletError } from './wallet-error.js'

/** Where a hotkey lies: `<path>/<name>/hotkeys/<hotkey>`, and how to open it when it is encrypted. */
export interface HotkeyLocation extends PasswordSources {
  /** Folder of all wallets; a leading `~` is the home directory. */
  readonly path: string
  /** Name of the wallet. Its coldkey is never opened. */
  readonly name: string
  readonly hotkey: string
}

/**
 * Reads a hotkey of Bittensor's wallet layout.
 *
 * @throws TargonError of fault usage, code WALLET_*: not found (says how to create one), readable by others, public
 * only, of another key type or encryption, wrong password, damaged.
 */
export async function loadHotkey(location: HotkeyLocation): Promise<Signer> {
  const path = hotkeyPath(location)
  const { name, hotkey } = location
  await initSr25519()
  const content = await readSecretFile(path, {
    what: 'key file',
    missingNext: `Create one with: btcli wallet new-hotkey --wallet.name ${name} --wallet.hotkey ${hotkey}; or name another by --wallet.path, --wallet.name and --wallet.hotkey.`,
  })
  return signerOf(pairFromKeyText(await decryptKeyFile(content, path, location), path))
}

/** @throws TargonError WALLET_NAME when a name would leave the wallet folder. */
export function hotkeyPath(location: Pick<HotkeyLocation, 'path' | 'name' | 'hotkey'>): string {
  for (const part of [location.name, location.hotkey]) {
    if (part === '' || part === '.' || part === '..' || /[/\\\0]/.test(part)) {
      throw walletError(
        'WALLET_NAME',
        `${JSON.stringify(part)} is no name of a wallet or hotkey.`,
        'Give the bare name, and the folder by --wallet.path.',
      )
    }
  }
  return join(resolve(expandHome(location.path)), location.name, 'hotkeys', location.hotkey)
}

/** The secret stays inside the closure: nothing that logs or serialises the signer can reach it. */
export function signerOf(pair: Sr25519Pair): Signer {
  const publicKey = pair.publicKey.slice()
  return Object.freeze({
    address: addressOf(publicKey),
    publicKey,
    sign: (message: Uint8Array) => sign(pair, message),
  })
}
