import { mnemonicToMiniSecret, mnemonicValidate } from '@polkadot/util-crypto/mnemonic'
import { z } from 'zod'
import { addressOf, pairFromSeed, type Sr25519Pair, sign, verify } from '../kernel/index.js'
import { pairFromScalarKey } from './scalar-key.js'
import { walletError } from './wallet-error.js'

const hexText = z.string().regex(/^(0x)?[0-9a-f]*$/i)
const absent = z.null().optional()

/** JSON of a Bittensor key file, any key order (btwallet keyfile.rs; `" ss58Address"` is a quirk of old releases). */
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
 * The pair a decrypted key file describes: Bittensor JSON, or the legacy bare forms (seed, private key or mnemonic).
 * Read order as btwallet: secretPhrase, secretSeed, privateKey; the result must match the address in the file.
 *
 * @throws TargonError WALLET_INVALID, WALLET_PUBLIC_ONLY, WALLET_KEY_TYPE, WALLET_POLKADOT_JS or WALLET_MISMATCH.
 */
export function pairFromKeyText(text: string, path: string): Sr25519Pair {
  const content = text.trim()
  if (content.startsWith('{')) return pairFromJson(content, path)
  if (/^(0x)?([0-9a-f]{64}|[0-9a-f]{128})$/i.test(content)) return checked(pairFromHex(content), path)
  if (/^[a-z]+(\s+[a-z]+)+$/.test(content)) return pairFromPhrase(content, path)
  throw invalid(path, 'is neither Bittensor JSON, a hex key nor a mnemonic')
}

function pairFromJson(content: string, path: string): Sr25519Pair {
  let json: unknown
  try {
    json = JSON.parse(content)
  } catch {
    throw invalid(path, 'holds damaged JSON')
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
  // The issue paths name keys; the values, which may be secrets, stay out of the message.
  if (!parsed.success) {
    throw invalid(path, `has unusable keys: ${parsed.error.issues.map((i) => i.path.join('.')).join(', ')}`)
  }
  refuseOtherKeyTypes(parsed.data, path)
  return compareAddress(pairFromFields(parsed.data, path), parsed.data, path)
}

function refuseOtherKeyTypes({ cryptoType }: KeyJson, path: string): void {
  if (cryptoType === undefined || cryptoType === null || cryptoType === 1) return
  const name = cryptoType === 0 ? 'ed25519' : `crypto type ${cryptoType}`
  throw walletError(
    'WALLET_KEY_TYPE',
    `${path} holds a key of ${name}; nodes sign with sr25519.`,
    'Use an sr25519 hotkey: btcli wallet new-hotkey.',
    { path, cryptoType },
  )
}

function pairFromFields(key: KeyJson, path: string): Sr25519Pair {
  if (key.secretPhrase) return pairFromPhrase(key.secretPhrase, path)
  if (key.secretSeed) return checked(pairFromHex(key.secretSeed), path)
  if (key.privateKey) return checked(pairFromHex(key.privateKey), path)
  throw walletError(
    'WALLET_PUBLIC_ONLY',
    `${path} holds a public key only, so nothing can be signed with it.`,
    'Recreate the hotkey from its mnemonic: btcli wallet regen-hotkey.',
    { path },
  )
}

function pairFromHex(hex: string): Sr25519Pair | undefined {
  const bytes = Buffer.from(hex.replace(/^0x/i, ''), 'hex')
  if (bytes.length === 32) return pairFromSeed(bytes)
  return bytes.length === 64 ? pairFromScalarKey(bytes) : undefined
}

function pairFromPhrase(phrase: string, path: string): Sr25519Pair {
  const words = phrase.trim().split(/\s+/).join(' ')
  if (!mnemonicValidate(words)) throw invalid(path, 'holds a mnemonic whose words or checksum are wrong')
  return pairFromSeed(mnemonicToMiniSecret(words))
}

/** A pair whose own signature does not verify would only fail later, on the wire. */
function checked(pair: Sr25519Pair | undefined, path: string): Sr25519Pair {
  const probe = new Uint8Array([1])
  if (!pair || !verify(probe, sign(pair, probe), pair.publicKey)) {
    throw invalid(path, 'holds a secret of the wrong length or value')
  }
  return pair
}

function compareAddress(pair: Sr25519Pair, key: KeyJson, path: string): Sr25519Pair {
  const stated = (key.ss58Address ?? key[' ss58Address'])?.trim()
  const actual = addressOf(pair.publicKey)
  if (stated && stated !== actual) {
    throw walletError(
      'WALLET_MISMATCH',
      `${path} says it is ${stated}, but its secret belongs to ${actual}.`,
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
    {
      path,
    },
  )
}
