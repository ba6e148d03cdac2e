import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { loadHotkey, type PasswordSources, type Signer } from '../../src/wallet/index.js'

/** The development key Alice in every form of a key file (values published with Substrate). */
export const ALICE = {
  address: '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY',
  publicKey: '0xd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d',
  seed: '0xe5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a',
  privateKey:
    '0x33a6f3093f158a7109f679410bef1a0c54168145e0cecb4df006c1c2fffb1f09925a225d97aa00682d6a59b95b18780c10d7032336e88f3442b42361f4a66011',
}
export const PHRASE = 'bottom drive obey lake curtain smoke basket hold race lonely fit walk'
export const PHRASE_ADDRESS = '5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV'

export interface WalletFolder {
  readonly path: string
  readonly keyFile: string
  write(content: string | Uint8Array | object, mode?: number): Promise<void>
  load(sources?: PasswordSources): Promise<Signer>
}

/** A new folder for every test, with one hotkey file to write and load. */
export function walletFolder(): WalletFolder {
  let path = ''
  const folder: WalletFolder = {
    get path() {
      return path
    },
    get keyFile() {
      return join(path, 'w', 'hotkeys', 'h')
    },
    async write(content, mode = 0o600) {
      const isRaw = typeof content === 'string' || content instanceof Uint8Array
      await writeFile(folder.keyFile, isRaw ? content : JSON.stringify(content))
      await chmod(folder.keyFile, mode)
    },
    load: (sources = {}) => loadHotkey({ path, name: 'w', hotkey: 'h', ...sources }),
  }
  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'wallet-'))
    await mkdir(join(path, 'w', 'hotkeys'), { recursive: true })
  })
  afterEach(() => rm(path, { recursive: true, force: true }))
  return folder
}
