import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { findHotkeys, writeDevelopmentWallet } from '../../src/wallet/index.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { temporaryFolder } from '../support/temporary-folder.js'

it('lists hotkeys by wallet with their addresses, and opens no key', async () => {
  const folder = temporaryFolder('wallets')
  const seed = new Uint8Array(32).fill(7)
  await writeDevelopmentWallet(folder, 'beta', [
    { name: 'two', seed },
    { name: 'one', seed },
  ])
  const bare = join(folder, 'alpha', 'hotkeys')
  mkdirSync(bare, { recursive: true })
  // A key without its public file, and one whose public file is a link.
  writeFileSync(join(bare, 'lonely'), '$NACL encrypted')
  writeFileSync(join(bare, 'linked'), '$NACL encrypted')
  symlinkSync(join(folder, 'beta', 'hotkeys', 'onepub.txt'), join(bare, 'linkedpub.txt'))
  writeFileSync(join(folder, 'alpha', 'coldkey'), 'secret')
  const { address } = await hotkeyOf(7)
  expect(await findHotkeys(folder)).toEqual([
    { wallet: 'alpha', hotkey: 'linked', address: undefined },
    { wallet: 'alpha', hotkey: 'lonely', address: undefined },
    { wallet: 'beta', hotkey: 'one', address },
    { wallet: 'beta', hotkey: 'two', address },
  ])
})

it('finds nothing where there is no folder of wallets', async () => {
  expect(await findHotkeys(join(temporaryFolder('wallets'), 'absent'))).toEqual([])
})
