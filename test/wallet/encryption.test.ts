import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { naclEncrypt } from '@polkadot/util-crypto/nacl'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { decryptKeyFile, deriveFileKey } from '../../src/wallet/encryption.js'
import { loadHotkey, passwordVariable } from '../../src/wallet/index.js'

/**
 * The development key Alice, encrypted with argon2i and NaCl's secretbox as btwallet does. Decrypting it takes 512 MiB
 * and seconds, by design.
 */
const FIXTURE = new URL('../fixtures/wallet/alice.nacl.hex', import.meta.url)
const PASSWORD = 'correct horse'
/** Key derivation of the files that the tests encrypt themselves. */
const CHEAP = { iterations: 1, memoryKib: 64 }
const ALICE = '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY'

let folder: string
let path: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wallet-'))
  path = join(folder, 'w', 'hotkeys', 'h')
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, Buffer.from((await readFile(FIXTURE, 'utf8')).trim(), 'hex'))
  await chmod(path, 0o600)
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const load = (sources: object) => loadHotkey({ path: folder, name: 'w', hotkey: 'h', ...sources })

describe('a key file encrypted with $NACL', () => {
  it('is decrypted with the password of a BT_PW variable', async () => {
    const name = passwordVariable(path)
    const masked = Buffer.from(PASSWORD).map((byte, i) => byte ^ name.charCodeAt(i % name.length))
    const variables = { [name]: Buffer.from(masked).toString('base64') }
    expect((await load({ variables })).address).toBe(ALICE)
  })

  it('is rejected with a wrong password', async () => {
    const { encrypted, nonce } = naclEncrypt(Buffer.from('a key'), await deriveFileKey(PASSWORD, CHEAP))
    const file = Buffer.concat([Buffer.from('$NACL'), nonce, encrypted])
    const decrypt = (password: string) => decryptKeyFile(file, path, { password }, CHEAP)
    expect(await decrypt(PASSWORD)).toBe('a key')
    await expect(decrypt('wrong')).rejects.toMatchObject({ code: 'WALLET_PASSWORD' })
  })

  it('is rejected without a password', async () => {
    await expect(load({})).rejects.toMatchObject({ code: 'WALLET_PASSWORD' })
  })

  it('is rejected when the password file is missing, which the error names', async () => {
    const passwordFile = join(folder, 'password')
    await expect(load({ passwordFile })).rejects.toMatchObject({
      code: 'WALLET_NOT_FOUND',
      message: `The password file ${passwordFile} does not exist.`,
      next: 'Correct --wallet.password_file.',
    })
  })
})
