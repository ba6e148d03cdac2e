import { mnemonicValidate } from '@polkadot/util-crypto/mnemonic'
import { z } from 'zod'
import { addressOf, type Sr25519Pair, sign, verify } from '../kernel/index.js'
import { pairFromScalarKey, pairFromUri } from './secret-key.js'
import { walletError } from './wallet-error.js'

const absent = z.null().optional()

/**
 * JSON of a Bittensor key file, fields in any order (btwallet keyfile.rs). Old releases wrote `" ss58Address"`. The secrets
 * are checked one by one, because a file with one that cannot be used may still have another that can.
 */
const keySchema = z.looseObject({
  secretPhrase: z.unknown().optional(),
  secretSeed: z.unknown().optional(),
  privateKey: z.unknown().optional(),
  ss58Address: z.union([z.string(), absent]),
  ' ss58Address': z.union([z.string(), absent]),
  cryptoType: z.union([z.number(), z.string().regex(/^\d+$/).transform(Number), absent]),
})

type KeyJson = z.infer<typeof keySchema>

/**
 * The key pair of a decrypted key file: Bittensor JSON, or the legacy bare forms (seed, private key or mnemonic).
 * Fields are tried in btwallet's order: secretPhrase, secretSeed, privateKey. A field that is not a secret of the expected
 * form is passed over: btwallet writes a seed whose bytes happen to be UTF-8 as these bytes instead of hex. The pair must match
 * the file's address.
 *
 * @throws TargonError WALLET_INVALID, WALLET_PUBLIC_ONLY, WALLET_KEY_TYPE, WALLET_POLKADOT_JS or WALLET_MISMATCH.
 */
export async function pairFromKeyText(text: string, path: string): Promise<Sr25519Pair> {
  const content = text.trim()
  if (content.startsWith('{')) return pairFromJson(content, path)
  if (/^(0x)?([0-9a-f]{64}|[0-9a-f]{128})$/i.test(content)) {
    return orInvalid(await hexPair(content), path, 'contains a secret of the wrong length or value')
  }
  if (/^[a-z]+(\s+[a-z]+)+$/.test(content)) {
    return orInvalid(await phrasePair(content), path, 'contains a mnemonic with a wrong word or checksum')
  }
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
  const readers = { secretPhrase: phrasePair, secretSeed: hexPair, privateKey: hexPair } as const
  const unusable: string[] = []
  for (const field of ['secretPhrase', 'secretSeed', 'privateKey'] as const) {
    const value = key[field]
    if (value === undefined || value === null || value === '') continue
    const pair = typeof value === 'string' ? await readers[field](value) : undefined
    if (pair) return pair
    unusable.push(field)
  }
  // Only field names go into the message: the values may be secrets.
  if (unusable.length > 0) throw invalid(path, `has no usable secret in ${unusable.join(', ')}`)
  throw walletError(
    'WALLET_PUBLIC_ONLY',
    `${path} contains only a public key, which cannot sign.`,
    'Recreate the hotkey from its mnemonic: btcli wallet regen-hotkey.',
    { path },
  )
}

/** The pair of a 32-byte seed or a 64-byte private key in hex; undefined for anything else. */
async function hexPair(text: string): Promise<Sr25519Pair | undefined> {
  const hex = text.replace(/^0x/i, '')
  if (!/^[0-9a-f]*$/i.test(hex)) return undefined
  let pair: Sr25519Pair | undefined
  if (hex.length === 64) pair = await pairFromUri(`0x${hex}`)
  else if (hex.length === 128) pair = pairFromScalarKey(Buffer.from(hex, 'hex'))
  // A pair whose own signature does not verify would only fail later, on the wire.
  const probe = new Uint8Array([1])
  return pair && verify(probe, sign(pair, probe), pair.publicKey) ? pair : undefined
}

/** The pair of a mnemonic; undefined when a word or the checksum is wrong. */
async function phrasePair(phrase: string): Promise<Sr25519Pair | undefined> {
  const words = phrase.trim().split(/\s+/).join(' ')
  return mnemonicValidate(words) ? pairFromUri(words) : undefined
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

function orInvalid(pair: Sr25519Pair | undefined, path: string, why: string): Sr25519Pair {
  if (!pair) throw invalid(path, why)
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
