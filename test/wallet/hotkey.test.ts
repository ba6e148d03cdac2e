import { spawnSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { initSr25519, verify } from '../../src/kernel/sr25519.js'
import { loadHotkey, passwordVariable, signerOf, writeDevelopmentWallet } from '../../src/wallet/index.js'
import { findPassword } from '../../src/wallet/password.js'

/** The development key Alice, in every form a key file can state it (values published with Substrate). */
const ALICE = {
  address: '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY',
  publicKey: '0xd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d',
  seed: '0xe5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a',
  privateKey:
    '0x33a6f3093f158a7109f679410bef1a0c54168145e0cecb4df006c1c2fffb1f09925a225d97aa00682d6a59b95b18780c10d7032336e88f3442b42361f4a66011',
}
const PHRASE = 'bottom drive obey lake curtain smoke basket hold race lonely fit walk'
const PHRASE_ADDRESS = '5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wallet-'))
  await mkdir(join(folder, 'w', 'hotkeys'), { recursive: true })
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function write(content: string | Uint8Array | object, mode = 0o600): Promise<string> {
  const path = join(folder, 'w', 'hotkeys', 'h')
  await writeFile(
    path,
    typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content),
  )
  await chmod(path, mode)
  return path
}

const load = (sources: object = {}) => loadHotkey({ path: folder, name: 'w', hotkey: 'h', ...sources })

async function expectSigner(address: string) {
  const signer = await load()
  expect(signer.address).toBe(address)
  const message = Buffer.from('targon')
  expect(verify(message, signer.sign(message), signer.publicKey)).toBe(true)
}

describe('forms of a key file', () => {
  const address = { ss58Address: ALICE.address }
  it.each([
    ['seed', { secretSeed: ALICE.seed, ...address }],
    ['seed without address', { secretSeed: ALICE.seed }],
    ['private key (scalar times 8)', { privateKey: ALICE.privateKey, ...address }],
    ['seed before private key', { privateKey: `0x${'1'.repeat(128)}`, secretSeed: ALICE.seed, ...address }],
    ['quirky key " ss58Address"', { ' ss58Address': ALICE.address, secretSeed: ALICE.seed }],
    ['null fields and a cryptoType as text', { secretPhrase: null, secretSeed: ALICE.seed, cryptoType: '1' }],
    ['unknown newer fields', { secretSeed: ALICE.seed, accountType: 'x', signingScheme: 1 }],
    ['bare seed', ALICE.seed],
    ['bare seed without 0x, with a line end', `${ALICE.seed.slice(2)}\n`],
    ['bare private key', ALICE.privateKey],
  ])('%s', async (_, content) => {
    await write(content)
    await expectSigner(ALICE.address)
  })

  it.each([
    ['in JSON', { secretPhrase: PHRASE, ss58Address: PHRASE_ADDRESS }],
    ['bare', `${PHRASE}\n`],
  ])('mnemonic %s', async (_, content) => {
    await write(content)
    await expectSigner(PHRASE_ADDRESS)
  })
})

describe('refusals name the file and the next step', () => {
  it.each([
    ['public only', { publicKey: ALICE.publicKey, ss58Address: ALICE.address }, 'WALLET_PUBLIC_ONLY'],
    ['another address', { secretSeed: ALICE.seed, ss58Address: PHRASE_ADDRESS }, 'WALLET_MISMATCH'],
    ['ed25519', { secretSeed: ALICE.seed, cryptoType: 0 }, 'WALLET_KEY_TYPE'],
    ['an unknown key type', { secretSeed: ALICE.seed, cryptoType: '7' }, 'WALLET_KEY_TYPE'],
    ['polkadot.js export', { encoded: 'x', encoding: {}, address: ALICE.address }, 'WALLET_POLKADOT_JS'],
    ['ansible', '$ANSIBLE_VAULT;1.1;AES256\n616263', 'WALLET_ENCRYPTION'],
    ['fernet', 'gAAAAABk1234567890', 'WALLET_ENCRYPTION'],
    ['damaged JSON', '{"secretSeed": "0x12', 'WALLET_INVALID'],
    ['short seed', { secretSeed: '0x1234' }, 'WALLET_INVALID'],
    ['zero scalar', { privateKey: `0x${'0'.repeat(128)}` }, 'WALLET_INVALID'],
    ['scalar beyond the order', { privateKey: `0x${'f'.repeat(128)}` }, 'WALLET_INVALID'],
    ['bad mnemonic', { secretPhrase: `${PHRASE} walk` }, 'WALLET_INVALID'],
    ['noise', 'hello, world', 'WALLET_INVALID'],
    ['empty', '', 'WALLET_INVALID'],
    ['encrypted, no password', `$NACL${'x'.repeat(80)}`, 'WALLET_PASSWORD'],
  ])('%s', async (_, content, code) => {
    const path = await write(content)
    const error = await load().catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code, fault: 'usage', next: expect.stringMatching(/./) })
    expect(String(error)).toContain(path)
    expect(JSON.stringify(error) + String(error)).not.toContain(ALICE.seed.slice(2))
  })

  it('a missing hotkey says how to create one', async () => {
    await expect(load()).rejects.toMatchObject({
      code: 'WALLET_NOT_FOUND',
      next: expect.stringContaining('btcli wallet new-hotkey'),
    })
  })

  it.each([0o644, 0o640, 0o602, 0o666])('mode %o is readable by others', async (mode) => {
    await write(ALICE.seed, mode)
    await expect(load()).rejects.toMatchObject({
      code: 'WALLET_PERMISSIONS',
      next: expect.stringContaining('chmod 600'),
    })
  })

  it('a symbolic link is not followed', async () => {
    await writeFile(join(folder, 'elsewhere'), ALICE.seed, { mode: 0o600 })
    await symlink(join(folder, 'elsewhere'), join(folder, 'w', 'hotkeys', 'h'))
    await expect(load()).rejects.toMatchObject({ code: 'WALLET_UNREADABLE' })
  })

  it('the coldkey beside it is never opened: whoever opened this one would wait for ever', async () => {
    const coldkey = join(folder, 'w', 'coldkey')
    expect(spawnSync('mkfifo', [coldkey]).status).toBe(0)
    await write({ secretSeed: ALICE.seed })
    await expectSigner(ALICE.address)
    await rm(join(folder, 'w', 'hotkeys', 'h'))
    await symlink(coldkey, join(folder, 'w', 'hotkeys', 'h'))
    await expect(load()).rejects.toThrow(/symbolic link/)
  })

  it('a huge file is not read', async () => {
    await write('x'.repeat(100_000))
    await expect(load()).rejects.toMatchObject({ code: 'WALLET_UNREADABLE' })
  })

  it.each(['..', '../w', 'a/b', '', 'a\0b'])('a name cannot leave the wallet folder: %j', async (hotkey) => {
    await expect(loadHotkey({ path: folder, name: 'w', hotkey })).rejects.toMatchObject({
      code: 'WALLET_NAME',
    })
  })
})

describe('passwords', () => {
  it('asks password file, variable and prompt in this order', async () => {
    const passwordFile = join(folder, 'password')
    await writeFile(passwordFile, 'from file\r\n', { mode: 0o600 })
    const prompt = async (question: string) => `answer to ${question}`
    expect(await findPassword('/k', { passwordFile, prompt })).toBe('from file')
    expect(await findPassword('/k', { prompt })).toBe('answer to Password of /k: ')
    expect(await findPassword('/k', {})).toBeUndefined()
  })

  it('the password file must be private too', async () => {
    await write(`$NACL${'x'.repeat(80)}`)
    const passwordFile = join(folder, 'password')
    await writeFile(passwordFile, 'correct horse')
    await chmod(passwordFile, 0o644)
    await expect(load({ passwordFile })).rejects.toMatchObject({ code: 'WALLET_PERMISSIONS' })
  })

  it('derives the variable as btwallet does', () => {
    expect(passwordVariable('/root/.bittensor/wallets/default/coldkey')).toBe(
      'BT_PW__ROOT__BITTENSOR_WALLETS_DEFAULT_COLDKEY',
    )
  })
})

describe('development wallet', () => {
  it('writes the layout with private modes and no coldkey secret, and reads back', async () => {
    await writeDevelopmentWallet(folder, 'dev', [
      { name: 'miner-1', seed: Buffer.alloc(32, 1) },
      { name: 'miner-2', seed: Buffer.alloc(32, 2) },
    ])
    expect((await readdir(join(folder, 'dev'))).sort()).toEqual(['coldkeypub.txt', 'hotkeys'])
    expect((await readdir(join(folder, 'dev', 'hotkeys'))).sort()).toEqual([
      'miner-1',
      'miner-1pub.txt',
      'miner-2',
      'miner-2pub.txt',
    ])
    expect((await stat(join(folder, 'dev'))).mode & 0o777).toBe(0o700)
    expect((await stat(join(folder, 'dev', 'hotkeys', 'miner-1'))).mode & 0o777).toBe(0o600)
    const signer = await loadHotkey({ path: folder, name: 'dev', hotkey: 'miner-1' })
    const stated = JSON.parse(await readFile(join(folder, 'dev', 'hotkeys', 'miner-1pub.txt'), 'utf8'))
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
