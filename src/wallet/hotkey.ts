import { join, resolve } from 'node:path'
import { addressOf, expandHome, initSr25519, type Sr25519Pair, sign } from '../kernel/index.js'
import { newHotkeyCommand } from './btcli.js'
import { decryptKeyFile } from './encryption.js'
import { readSecretFile } from './key-file.js'
import { pairFromKeyText } from './key-text.js'
import type { PasswordSources } from './password.js'
import { walletError } from './wallet-error.js'

/** A hotkey that can sign. The secret never leaves the object that implements this. */
export interface Signer {
  /** ss58 address, prefix 42. */
  readonly address: string
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** @returns the 64-byte sr25519 signature of exactly these bytes. */
  sign(message: Uint8Array): Uint8Array
}

/** Where to find a hotkey (`<path>/<name>/hotkeys/<hotkey>`) and how to decrypt it. */
export interface HotkeyLocation extends PasswordSources {
  /** Folder that contains all wallets; a leading `~` is the home directory. */
  readonly path: string
  /** Name of the wallet, whose coldkey is never opened. */
  readonly name: string
  readonly hotkey: string
}

/**
 * Loads a hotkey from Bittensor's wallet layout.
 *
 * @throws TargonError WALLET_* (fault usage): not found, readable by other users, public key only, unsupported key type
 *   or encryption, wrong password, damaged.
 */
export async function loadHotkey(location: HotkeyLocation): Promise<Signer> {
  const path = hotkeyPath(location)
  await initSr25519()
  const content = await readSecretFile(path, {
    what: 'key file',
    missingNext: `Create it with: ${newHotkeyCommand(location)}; or choose another with --wallet.path, --wallet.name and --wallet.hotkey.`,
  })
  return signerOf(await pairFromKeyText(await decryptKeyFile(content, path, location), path))
}

/** @throws TargonError WALLET_NAME when a name would point outside the wallet folder. */
export function hotkeyPath(location: Pick<HotkeyLocation, 'path' | 'name' | 'hotkey'>): string {
  for (const part of [location.name, location.hotkey]) {
    if (part === '' || part === '.' || part === '..' || /[/\\\0]/.test(part)) {
      throw walletError(
        'WALLET_NAME',
        `${JSON.stringify(part)} is not a valid wallet or hotkey name.`,
        'Pass only the name, and the folder with --wallet.path.',
      )
    }
  }
  return join(resolve(expandHome(location.path)), location.name, 'hotkeys', location.hotkey)
}

/** The secret stays in the closure, where logging or serialising the signer cannot reach it. */
export function signerOf(pair: Sr25519Pair): Signer {
  const publicKey = pair.publicKey.slice()
  return Object.freeze({
    address: addressOf(publicKey),
    publicKey,
    sign: (message: Uint8Array) => sign(pair, message),
  })
}
