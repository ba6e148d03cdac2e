import { findPassword, type PasswordSources, passwordVariable } from './password.js'
import { walletError } from './wallet-error.js'

const NACL_PREFIX = '$NACL'
const NONCE_BYTES = 24

/** btwallet's fixed salt (keyfile.rs NACL_SALT). */
const NACL_SALT = Buffer.from('137183dff15a09bc9c90b5518739e9b1', 'hex')

/** What deriving the key of an encrypted file costs. */
interface KeyDerivation {
  /** Passes over the memory. */
  readonly iterations: number
  readonly memoryKib: number
}

/** libsodium's SENSITIVE limits, with which btwallet encrypts: seconds and 512 MiB. */
const SENSITIVE: KeyDerivation = { iterations: 8, memoryKib: 524_288 }

/** Encryptions of older wallets, by the prefix of their files. */
const LEGACY_ENCRYPTIONS = [
  { prefix: '$ANSIBLE_VAULT', name: 'ansible-vault' },
  { prefix: 'gAAAAA', name: 'fernet' },
] as const

/**
 * The text of a key file; one that begins with `$NACL` is decrypted.
 *
 * @param derivation lower in tests
 * @throws TargonError WALLET_ENCRYPTION (a legacy encryption), WALLET_PASSWORD (none, or a wrong one).
 */
export async function decryptKeyFile(
  content: Buffer,
  path: string,
  sources: PasswordSources,
  derivation = SENSITIVE,
): Promise<string> {
  const head = content.subarray(0, 16).toString('latin1')
  const legacy = LEGACY_ENCRYPTIONS.find(({ prefix }) => head.startsWith(prefix))
  if (legacy) {
    throw walletError(
      'WALLET_ENCRYPTION',
      `${path} uses the legacy encryption ${legacy.name}, which is not supported.`,
      'Update the wallet with btcli (it re-encrypts on use), or recreate the hotkey with btcli wallet regen-hotkey.',
      { path, encryption: legacy.name },
    )
  }
  if (!head.startsWith(NACL_PREFIX)) return content.toString('utf8')
  const password = await findPassword(path, sources)
  if (password === undefined || password === '') {
    throw walletError(
      'WALLET_PASSWORD',
      `${path} is encrypted and no password was given.`,
      `Set --wallet.password_file or the variable ${passwordVariable(path)}, or run in a terminal to be asked.`,
      { path },
    )
  }
  const plain = await openSecretBox(content.subarray(NACL_PREFIX.length), password, derivation)
  if (!plain) {
    throw walletError(
      'WALLET_PASSWORD',
      `The password for ${path} is wrong.`,
      'Correct the password, or restore the file if it is damaged.',
      { path },
    )
  }
  return plain
}

/** nonce ‖ XSalsa20-Poly1305 box. */
async function openSecretBox(
  sealed: Buffer,
  password: string,
  derivation: KeyDerivation,
): Promise<string | undefined> {
  if (sealed.length <= NONCE_BYTES) return undefined
  // loaded here, because few hotkeys are encrypted
  const { naclDecrypt } = await import('@polkadot/util-crypto/nacl')
  const key = await deriveFileKey(password, derivation)
  const plain = naclDecrypt(sealed.subarray(NONCE_BYTES), sealed.subarray(0, NONCE_BYTES), key)
  key.fill(0)
  return plain ? Buffer.from(plain).toString('utf8') : undefined
}

/** Argon2i v1.3, as btwallet derives it. @returns 32 bytes */
export async function deriveFileKey(password: string, derivation: KeyDerivation): Promise<Uint8Array> {
  const { argon2i } = await import('hash-wasm')
  return await argon2i({
    password,
    salt: NACL_SALT,
    parallelism: 1,
    iterations: derivation.iterations,
    memorySize: derivation.memoryKib,
    hashLength: 32,
    outputType: 'binary',
  })
}
