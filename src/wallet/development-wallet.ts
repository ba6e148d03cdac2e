import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { addressOf, initSr25519, pairFromSeed, replaceFile } from '../kernel/index.js'
import { hotkeyPath } from './hotkey.js'

/** A hotkey to write, by its 32-byte seed. */
export interface DevelopmentHotkey {
  readonly name: string
  readonly seed: Uint8Array
}

/**
 * Writes hotkeys of a development network in Bittensor's on-disk layout, replacing those of the same name. Of the
 * coldkey only the public file is written: nodes never need its secret.
 *
 * @param coldkey public key, 32 bytes; by default one derived from the wallet's name.
 */
export async function writeDevelopmentWallet(
  folder: string,
  name: string,
  hotkeys: readonly DevelopmentHotkey[],
  coldkey?: Uint8Array,
): Promise<void> {
  await initSr25519()
  const coldPublic =
    coldkey ?? pairFromSeed(createHash('sha256').update(`development coldkey ${name}`).digest()).publicKey
  for (const hotkey of hotkeys) {
    const path = hotkeyPath({ path: folder, name, hotkey: hotkey.name })
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const { publicKey } = pairFromSeed(hotkey.seed)
    const publicPart = publicJson(publicKey)
    await writeJson(path, { ...publicPart, secretSeed: hex(hotkey.seed) })
    await writeJson(`${path}pub.txt`, publicPart)
    await writeJson(`${dirname(dirname(path))}/coldkeypub.txt`, publicJson(coldPublic))
  }
}

function publicJson(publicKey: Uint8Array) {
  return { accountId: hex(publicKey), publicKey: hex(publicKey), ss58Address: addressOf(publicKey) }
}

function hex(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes).toString('hex')}`
}

async function writeJson(path: string, content: object): Promise<void> {
  await replaceFile(path, `${JSON.stringify(content)}\n`)
}
