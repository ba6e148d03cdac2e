import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { initSr25519, pairFromSeed } from '../../kernel/index.js'
import { writeDevelopmentWallet } from '../../wallet/index.js'
import { COLDKEY_NAME, deriveSecret, LOCALNET_MODELS, WALLET_NAME } from './cast.js'

export interface LocalnetFolder {
  readonly path: string
  /** Deletes the folder if it is a temporary one. */
  release(): Promise<void>
}

/** @param given the user's folder, which is never deleted; undefined creates a temporary one. */
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

/** Writes what the roles read: development wallets in Bittensor's layout and the validator's model list. */
export async function seedFolder(folder: string, seed: string, names: readonly string[]): Promise<void> {
  await initSr25519()
  await writeDevelopmentWallet(
    walletsFolder(folder),
    WALLET_NAME,
    names.map((name) => ({ name, seed: deriveSecret(seed, name) })),
    pairFromSeed(deriveSecret(seed, COLDKEY_NAME)).publicKey,
  )
  await writeFile(join(folder, 'models.txt'), `${LOCALNET_MODELS.join('\n')}\n`)
}
