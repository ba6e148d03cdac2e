import { mnemonicValidate } from '@polkadot/util-crypto/mnemonic'
import { z } from 'zod'
import { addressOf, type Sr25519Pair, sign, verify } from '../kernel/index.js'
import { pairFromScalarKey, pairFromUri } from './secret-key.js'
import { walletError } from './wallet-error.js'

const hexText = z.string().regex(/^(0x)?[0-9a-f]*$/i)
const absent = z.null().optional()

/** JSON of a Bittensor key file, fields in any order (btwallet keyfile.rs). Old releases wrote `" ss58Address"`. */
const keySchema = z.looseObject({
  secretPhrase: z.union([z.string(), absent]),
  secretSeed: z.union([hexText, absent]),
  privateKey: z.union([hexText, absent]),
  publicKey: z.union([hexText, absent]),
  accountId: z.union([hexText, absent]),
  ss58Address: z.union([z.string(), absent]),
  ' ss58Address': z.union([z.string(), absent]),
  cryptoType: z.union([z.number(), z.string().regex(/^\d+$/).transform(Number), absent]),
})

type KeyJson = z.infer<typeof keySchema>

/**
 * The key pair of a decrypted key file: Bittensor JSON, or the legacy bare forms (seed, private key or mnemonic).
 * Fields are tried in btwallet's order: secretPhrase, secretSeed, privateKey. The pair must match the file's address.
 *
 * @throws TargonError WALLET_INVALID, WALLET_PUBLIC_ONLY, WALLET_KEY_TYPE, WALLET_POLKADOT_JS or WALLET_MISMATCH.
 */
export async function pairFromKeyText(text: string, path: string): Promise<Sr25519Pair> {
  const content = text.trim()
  if (content.startsWith('{')) return pairFromJson(content, path)
  if (/^(0x)?([0-9a-f]{64}|[0-9a-f]{128})$/i.test(content)) return pairFromHex(content, path)
  if (/^[a-z]+(\s+[a-z]+)+$/.test(content)) return pairFromPhrase(content, path)
  throw invalid(path, 'is not Bittensor JSON, a hex key or a mnemonic')
}

async function pairFromJson(content: string, path: string): Promise<Sr25519Pair> {
  let json: unknown
  try {
    json = JSON.parse(content)
  } catch {
    throw invalid(path, 'contains damaged JSON')
  }
  if (typeof json === 'object' && json !== null && ('encoded' in json || 'encoding' in json)) {
    throw walletError(
      'WALLET_POLKADOT_JS',
      `${path} is a polkadot.js export, not a Bittensor key file.`,
      'Recreate the hotkey from its mnemonic: btcli wallet regen-hotkey.',
      { path },
    )
  }
  const parsed = keySchema.safeParse(json)
  // Only field names go into the message: the values may be secrets.
  if (!parsed.success) {
    throw invalid(path, `has invalid fields: ${parsed.error.issues.map((i) => i.path.join('.')).join(', ')}`)
  }
  requireSr25519(parsed.data, path)
  return requireAddress(await pairFromFields(parsed.data, path), parsed.data, path)
}

function requireSr25519({ cryptoType }: KeyJson, path: string): void {
  if (cryptoType === undefined || cryptoType === null || cryptoType === 1) return
  const name = cryptoType === 0 ? 'ed25519' : `crypto type ${cryptoType}`
  throw walletError(
    'WALLET_KEY_TYPE',
    `${path} contains a key of type ${name}, but nodes sign with sr25519.`,
    'Use an sr25519 hotkey: btcli wallet new-hotkey.',
    { path, cryptoType },
  )
}

async function pairFromFields(key: KeyJson, path: string): Promise<Sr25519Pair> {
  if (key.secretPhrase) return pairFromPhrase(key.secretPhrase, path)
  if (key.secretSeed) return pairFromHex(key.secretSeed, path)
  if (key.privateKey) return pairFromHex(key.privateKey, path)
  throw walletError(
    'WALLET_PUBLIC_ONLY',
    `${path} contains only a public key, which cannot sign.`,
    'Recreate the hotkey from its mnemonic: btcli wallet regen-hotkey.',
    { path },
  )
}

async function pairFromHex(text: string, path: string): Promise<Sr25519Pair> {
  const hex = text.replace(/^0x/i, '')
  let pair: Sr25519Pair | undefined
  if (hex.length === 64) pair = await pairFromUri(`0x${hex}`)
  else if (hex.length === 128) pair = pairFromScalarKey(Buffer.from(hex, 'hex'))
  // A pair whose own signature does not verify would only fail later, on the wire.
  const probe = new Uint8Array([1])
  if (!pair || !verify(probe, sign(pair, probe), pair.publicKey)) {
    throw invalid(path, 'contains a secret of the wrong length or value')
  }
  return pair
}

async function pairFromPhrase(phrase: string, path: string): Promise<Sr25519Pair> {
  const words = phrase.trim().split(/\s+/).join(' ')
  if (!mnemonicValidate(words)) throw invalid(path, 'contains a mnemonic with a wrong word or checksum')
  return pairFromUri(words)
}

function requireAddress(pair: Sr25519Pair, key: KeyJson, path: string): Sr25519Pair {
  const stated = (key.ss58Address ?? key[' ss58Address'])?.trim()
  const actual = addressOf(pair.publicKey)
  if (stated && stated !== actual) {
    throw walletError(
      'WALLET_MISMATCH',
      `${path} states the address ${stated}, but its secret belongs to ${actual}.`,
      'Restore the file from a backup or recreate the hotkey from its mnemonic.',
      { path, stated, actual },
    )
  }
  return pair
}

function invalid(path: string, why: string) {
  return walletError(
    'WALLET_INVALID',
    `${path} ${why}.`,
    'Check the file, or recreate the hotkey with btcli.',
    { path },
  )
}
