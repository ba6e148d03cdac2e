import { hashBody, readClaim, signRequest, verifyRequest } from '../../../src/epistula/index.js'
import { hotkeyOf } from '../../support/hotkeys.js'
import type { Checker } from '../checker.js'

/**
 * The bytes two Python clients sent, compared with the bytes 4.4.1 hashed. Ours signs what it sends and verifies what it
 * receives: a request is accepted if its client sent what it hashed, and refused otherwise.
 */
export const checker: Checker = {
  vectors: 'epistula_body_bytes',
  rules: {},
  async check({ expected }) {
    const signer = await hotkeyOf(7)
    const receiver = await hotkeyOf(8)
    const nowMs = 1_736_100_000_000
    const hashed = Buffer.from(expected.hashed_hex, 'hex')
    const signed = signRequest({ signer, signedFor: receiver.address, body: hashed, nowMs })
    const headers = Object.fromEntries(
      Object.entries(signed).map(([name, value]) => [name.toLowerCase(), [value]]),
    )
    const problems: string[] = []
    if (!readClaim(headers).ok) problems.push('headers')
    if (hashBody(hashed) !== expected.sha256) problems.push('hash of the hashed bytes')
    for (const [client, sent] of Object.entries<{ wire_utf8: string; sha256: string; matches_hash: boolean }>(
      Object.fromEntries(Object.entries(expected).filter(([key]) => key.startsWith('httpx_'))) as never,
    )) {
      const body = Buffer.from(sent.wire_utf8, 'utf8')
      if (hashBody(body) !== sent.sha256) problems.push(`${client}: hash`)
      const answer = verifyRequest({ headers, body, nowMs, signedFor: receiver.address })
      if (answer.ok !== sent.matches_hash) problems.push(`${client}: ${answer.ok}`)
      const resigned = signRequest({ signer, signedFor: receiver.address, body, nowMs })
      const own = Object.fromEntries(
        Object.entries(resigned).map(([name, value]) => [name.toLowerCase(), [value]]),
      )
      if (!verifyRequest({ headers: own, body, nowMs, signedFor: receiver.address }).ok) {
        problems.push(`${client}: refused although signed as sent`)
      }
    }
    return problems.length === 0 ? { agrees: true } : { agrees: false, detail: problems.join('; ') }
  },
}
