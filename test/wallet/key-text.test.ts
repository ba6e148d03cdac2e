import { describe, expect, it } from 'vitest'
import { verify } from '../../src/kernel/sr25519.js'
import { ALICE, PHRASE, PHRASE_ADDRESS, walletFolder } from './wallet-folder.js'

const folder = walletFolder()

async function expectSigner(address: string) {
  const signer = await folder.load()
  expect(signer.address).toBe(address)
  const message = Buffer.from('targon')
  expect(verify(message, signer.sign(message), signer.publicKey)).toBe(true)
}

describe('a key file', () => {
  const address = { ss58Address: ALICE.address }
  it.each([
    ['a seed', { secretSeed: ALICE.seed, ...address }],
    ['a seed without address', { secretSeed: ALICE.seed }],
    ['a private key (scalar times 8)', { privateKey: ALICE.privateKey, ...address }],
    [
      'a seed before a private key',
      { privateKey: `0x${'1'.repeat(128)}`, secretSeed: ALICE.seed, ...address },
    ],
    ['the quirky field " ss58Address"', { ' ss58Address': ALICE.address, secretSeed: ALICE.seed }],
    ['null fields and a cryptoType as text', { secretPhrase: null, secretSeed: ALICE.seed, cryptoType: '1' }],
    ['unknown newer fields', { secretSeed: ALICE.seed, accountType: 'x', signingScheme: 1 }],
    [
      'a seed written as raw bytes before a private key',
      { secretSeed: 'raw \u00e9 bytes, as btwallet wrote', privateKey: ALICE.privateKey, ...address },
    ],
    [
      'a seed of 32 digits before a private key',
      { secretSeed: '1'.repeat(32), privateKey: ALICE.privateKey },
    ],
    ['a list of bytes as seed before a private key', { secretSeed: [1, 2], privateKey: ALICE.privateKey }],
    ['a damaged mnemonic before a seed', { secretPhrase: 'walk', secretSeed: ALICE.seed, ...address }],
    ['an odd public key', { secretSeed: ALICE.seed, publicKey: [1], accountId: 'x', ...address }],
    ['a bare seed', ALICE.seed],
    ['a bare seed without 0x, with a line end', `${ALICE.seed.slice(2)}\n`],
    ['a bare private key', ALICE.privateKey],
  ])('with %s yields the key', async (_, content) => {
    await folder.write(content)
    await expectSigner(ALICE.address)
  })

  it.each([
    ['in JSON', { secretPhrase: PHRASE, ss58Address: PHRASE_ADDRESS }],
    ['bare', `${PHRASE}\n`],
  ])('with a mnemonic %s yields the key', async (_, content) => {
    await folder.write(content)
    await expectSigner(PHRASE_ADDRESS)
  })

  it.each([
    ['public only', { publicKey: ALICE.publicKey, ss58Address: ALICE.address }, 'WALLET_PUBLIC_ONLY'],
    ['another address', { secretSeed: ALICE.seed, ss58Address: PHRASE_ADDRESS }, 'WALLET_MISMATCH'],
    ['ed25519', { secretSeed: ALICE.seed, cryptoType: 0 }, 'WALLET_KEY_TYPE'],
    ['an unknown key type', { secretSeed: ALICE.seed, cryptoType: '7' }, 'WALLET_KEY_TYPE'],
    ['a polkadot.js export', { encoded: 'x', encoding: {}, address: ALICE.address }, 'WALLET_POLKADOT_JS'],
    ['ansible', '$ANSIBLE_VAULT;1.1;AES256\n616263', 'WALLET_ENCRYPTION'],
    ['fernet', 'gAAAAABk1234567890', 'WALLET_ENCRYPTION'],
    ['damaged JSON', '{"secretSeed": "0x12', 'WALLET_INVALID'],
    [
      'raw bytes as its only secret',
      { secretSeed: 'raw bytes', ss58Address: ALICE.address },
      'WALLET_INVALID',
    ],
    [
      'raw bytes and a private key of another address',
      { secretSeed: 'raw bytes', privateKey: ALICE.privateKey, ss58Address: PHRASE_ADDRESS },
      'WALLET_MISMATCH',
    ],
    ['a short seed', { secretSeed: '0x1234' }, 'WALLET_INVALID'],
    ['a zero scalar', { privateKey: `0x${'0'.repeat(128)}` }, 'WALLET_INVALID'],
    ['a scalar beyond the group order', { privateKey: `0x${'f'.repeat(128)}` }, 'WALLET_INVALID'],
    ['a bad mnemonic', { secretPhrase: `${PHRASE} walk` }, 'WALLET_INVALID'],
    ['noise', 'hello, world', 'WALLET_INVALID'],
    ['nothing', '', 'WALLET_INVALID'],
    ['encryption but no password', `$NACL${'x'.repeat(80)}`, 'WALLET_PASSWORD'],
  ])(
    'with %s is rejected: the error names the file, the next step and no secret',
    async (_, content, code) => {
      await folder.write(content)
      const error = await folder.load().catch((caught: unknown) => caught)
      expect(error).toMatchObject({ code, fault: 'usage', next: expect.stringMatching(/./) })
      expect(String(error)).toContain(folder.keyFile)
      expect(JSON.stringify(error) + String(error)).not.toContain(ALICE.seed.slice(2))
    },
  )
})
