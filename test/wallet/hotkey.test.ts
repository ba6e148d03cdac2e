import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { addressOf, initSr25519 } from '../../src/kernel/sr25519.js'
import { loadHotkey, passwordVariable, signerOf, writeDevelopmentWallet } from '../../src/wallet/index.js'
import { findPassword } from '../../src/wallet/password.js'
import { pairFromUri } from '../../src/wallet/secret-key.js'
import { ALICE, walletFolder } from './wallet-folder.js'

const folder = walletFolder()

it.each(['..', '../w', 'a/b', '', 'a\0b'])(
  'loadHotkey rejects %j, which could leave the wallet folder',
  async (hotkey) => {
    await expect(loadHotkey({ path: folder.path, name: 'w', hotkey })).rejects.toMatchObject({
      code: 'WALLET_NAME',
      message: `${JSON.stringify(hotkey)} is not a valid wallet or hotkey name.`,
    })
  },
)

it('pairFromUri derives development keys by name', async () => {
  await initSr25519()
  expect(addressOf((await pairFromUri('//Alice')).publicKey)).toBe(ALICE.address)
})

describe('findPassword', () => {
  it('tries the password file, the variable and the prompt in this order', async () => {
    const passwordFile = join(folder.path, 'password')
    await writeFile(passwordFile, 'from file\r\n', { mode: 0o600 })
    const prompt = async (question: string) => `answer to ${question}`
    expect(await findPassword('/k', { passwordFile, prompt })).toBe('from file')
    expect(await findPassword('/k', { prompt })).toBe('answer to Password for /k: ')
    expect(await findPassword('/k', {})).toBeUndefined()
  })

  it('names the variable as btwallet does', () => {
    expect(passwordVariable('/root/.bittensor/wallets/default/coldkey')).toBe(
      'BT_PW__ROOT__BITTENSOR_WALLETS_DEFAULT_COLDKEY',
    )
  })
})

describe('writeDevelopmentWallet', () => {
  it('writes the layout with private modes and no coldkey secret, and can be loaded', async () => {
    await writeDevelopmentWallet(folder.path, 'dev', [
      { name: 'miner-1', seed: Buffer.alloc(32, 1) },
      { name: 'miner-2', seed: Buffer.alloc(32, 2) },
    ])
    expect((await readdir(join(folder.path, 'dev'))).sort()).toEqual(['coldkeypub.txt', 'hotkeys'])
    expect((await readdir(join(folder.path, 'dev', 'hotkeys'))).sort()).toEqual([
      'miner-1',
      'miner-1pub.txt',
      'miner-2',
      'miner-2pub.txt',
    ])
    expect((await stat(join(folder.path, 'dev'))).mode & 0o777).toBe(0o700)
    expect((await stat(join(folder.path, 'dev', 'hotkeys', 'miner-1'))).mode & 0o777).toBe(0o600)
    const signer = await loadHotkey({ path: folder.path, name: 'dev', hotkey: 'miner-1' })
    const stated = JSON.parse(await readFile(join(folder.path, 'dev', 'hotkeys', 'miner-1pub.txt'), 'utf8'))
    expect(stated.ss58Address).toBe(signer.address)
    expect(Object.keys(stated)).not.toContain('secretSeed')
  })
})

it('a signer shows no secret when printed or serialised', async () => {
  await initSr25519()
  const secretKey = Buffer.alloc(64, 7)
  const signer = signerOf({ secretKey, publicKey: Buffer.from(ALICE.publicKey.slice(2), 'hex') })
  expect(JSON.stringify(signer)).not.toContain('07070707')
  expect(Object.keys(signer).sort()).toEqual(['address', 'publicKey', 'sign'])
})
