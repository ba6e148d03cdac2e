import { encryptForRound } from '../../../src/chain/timelock.js'
import type { Checker } from '../checker.js'

/** drand quicknet; the pulse file contains the same key. */
const QUICKNET = Buffer.from(
  '83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a',
  'hex',
)

/** A ciphertext with fixed randomness, verified to be decrypted by arkworks. */
export const checker: Checker = {
  vectors: 'tle-vectors',
  rules: {},
  cases: ({ json }) =>
    typeof json === 'object' && json !== null && 'noble_ct' in json && 'ark_ct' in json ? [json] : undefined,
  check({ plaintext_utf8: text, round, noble_ct: sealed }) {
    const fixed = { key: Buffer.alloc(32, 2), seed: Buffer.alloc(32, 3), nonce: Buffer.alloc(12, 4) }
    const ours = Buffer.from(encryptForRound(Buffer.from(text), round, QUICKNET, fixed)).toString('hex')
    return ours === sealed ? { agrees: true } : { agrees: false, detail: `got ${ours.slice(0, 80)}…` }
  },
}
