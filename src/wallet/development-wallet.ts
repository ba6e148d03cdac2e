import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { addressOf, initSr25519, replaceFile } from '../kernel/index.js'
import { hotkeyPath } from './hotkey.js'
import { pairFromUri } from './secret-key.js'

/** A hotkey to write, defined by its 32-byte seed. */
export interface DevelopmentHotkey {
  readonly name: string
  readonly seed: Uint8Array
}

/**
 * Writes hotkeys of a development network in Bittensor's on-disk layout, replacing hotkeys of the same name. For the
 * coldkey only the public file is written, because nodes never need its secret.
 *
 * @param coldkey 32-byte public key; derived from the wallet's name by default.
 */
export async function writeDevelopmentWallet(
  folder: string,
  name: string,
  hotkeys: readonly DevelopmentHotkey[],
  coldkey?: Uint8Array,
): Promise<void> {
  await initSr25519()
  const coldPublic =
    coldkey ??
    (await pairFromUri(hex(createHash('sha256').update(`development coldkey ${name}`).digest()))).publicKey
  for (const hotkey of hotkeys) {
    const path = hotkeyPath({ path: folder, name, hotkey: hotkey.name })
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const { publicKey } = await pairFromUri(hex(hotkey.seed))
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
