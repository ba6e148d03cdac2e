import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { writeDevelopmentWallet } from '../wallet/index.js'
import { CAST, deriveSecret, LOCALNET_MODELS, VALIDATOR_NAME, WALLET_NAME } from './cast.js'

export interface LocalnetFolder {
  readonly path: string
  /** Removes the folder when it was made for this run only. */
  release(): Promise<void>
}

/** @param given the operator's folder, kept at the end; undefined makes a temporary one. */
export async function openFolder(given: string | undefined): Promise<LocalnetFolder> {
  if (given === undefined) {
    const path = await mkdtemp(join(tmpdir(), 'targon-localnet-'))
    return { path, release: () => rm(path, { recursive: true, force: true }) }
  }
  const path = resolve(given)
  await mkdir(path, { recursive: true, mode: 0o700 })
  return { path, release: async () => {} }
}

export function walletsFolder(folder: string): string {
  return join(folder, 'wallets')
}

/** Names of all hotkeys, in the order of their uids: the validator first. */
export const HOTKEY_NAMES = [VALIDATOR_NAME, ...CAST.map((member) => member.name)]

/** Writes what the roles read: development wallets in Bittensor's layout, and the list of wanted models. */
export async function furnishFolder(folder: string, seed: string): Promise<void> {
  await writeDevelopmentWallet(
    walletsFolder(folder),
    WALLET_NAME,
    HOTKEY_NAMES.map((name) => ({ name, seed: deriveSecret(seed, name) })),
  )
  await writeFile(join(folder, 'models.txt'), `${LOCALNET_MODELS.join('\n')}\n`)
}
