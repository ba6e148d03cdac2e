import { constants, type Dirent } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { expandHome, parseJson } from '../kernel/index.js'

/** A hotkey file on disk. */
export interface FoundHotkey {
  /** Name of the wallet (coldkey). */
  readonly wallet: string
  readonly hotkey: string
  /** ss58 address; undefined where no public file beside the key tells it. */
  readonly address: string | undefined
}

const PUBLIC_SUFFIX = 'pub.txt'
const MOST_WALLETS = 200
const MOST_HOTKEYS = 1000
const MOST_BYTES = 4096

const publicSchema = z.object({ ss58Address: z.string().regex(/^[1-9A-HJ-NP-Za-km-z]{46,50}$/) })

/**
 * The hotkeys below a folder of wallets, by name. Opens neither coldkeys nor the secret part of a hotkey: addresses come from
 * the public files that btcli writes beside the keys.
 *
 * @returns an empty list when the folder does not exist or cannot be read
 */
export async function findHotkeys(walletsPath: string): Promise<readonly FoundHotkey[]> {
  const root = resolve(expandHome(walletsPath))
  const found: FoundHotkey[] = []
  for (const wallet of (await list(root)).filter((entry) => entry.isDirectory()).slice(0, MOST_WALLETS)) {
    const folder = join(root, wallet.name, 'hotkeys')
    for (const { name } of (await list(folder)).filter((entry) => entry.isFile())) {
      if (name.endsWith(PUBLIC_SUFFIX) || name.startsWith('.')) continue
      found.push({
        ...{ wallet: wallet.name, hotkey: name },
        address: await readAddress(join(folder, name + PUBLIC_SUFFIX)),
      })
      if (found.length === MOST_HOTKEYS) return found
    }
  }
  return found
}

async function list(folder: string): Promise<Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  return entries.sort((a, b) => a.name.localeCompare(b.name))
}

async function readAddress(path: string): Promise<string | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST_BYTES), 0, MOST_BYTES, 0)
      const text = buffer.subarray(0, bytesRead).toString('utf8')
      return publicSchema.safeParse(parseJson(text)).data?.ss58Address
    } finally {
      await file.close()
    }
  } catch {
    return undefined
  }
}
