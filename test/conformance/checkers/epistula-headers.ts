import { createHash } from 'node:crypto'
import { signRequest } from '../../../src/epistula/index.js'
import { verify } from '../../../src/kernel/sr25519.js'
import { hotkeyOf } from '../../support/hotkeys.js'
import type { Checker } from '../checker.js'

/** 4.4.1 generate_header: names, order, values, and the exact text under every signature. */
export const checker: Checker = {
  vectors: 'epistula_headers',
  rules: {},
  async check(testCase) {
    const { expected } = testCase
    // the file contains an address but not its key: any key serves, and its signatures prove which text was signed
    const key = await hotkeyOf(7)
    const headers = signRequest({
      signer: { address: testCase.signed_by, publicKey: key.publicKey, sign: key.sign },
      signedFor: testCase.signed_for ?? undefined,
      body: Buffer.from(expected.hashed_body_hex, 'hex'),
      nowMs: roundHalfEven(testCase.now_seconds * 1000),
      uuid: testCase.uuid,
    })
    const problems: string[] = []
    const names = Object.keys(headers)
    if (names.join() !== expected.header_order.join()) problems.push(`order ${names.join()}`)
    for (const [name, value] of Object.entries(expected.headers)) {
      if (headers[name] !== value) problems.push(`${name}: ${headers[name]}`)
    }
    for (const [name, text] of Object.entries(expected.signed_messages)) {
      const signature = headers[name] ?? ''
      const wellFormed = /^0x[0-9a-f]{128}$/.test(signature)
      const good = verify(Buffer.from(String(text)), Buffer.from(signature.slice(2), 'hex'), key.publicKey)
      if (!wellFormed || !good) problems.push(`${name} does not sign ${text}`)
    }
    const hash = createHash('sha256').update(Buffer.from(expected.hashed_body_hex, 'hex')).digest('hex')
    if (hash !== expected.body_sha256) problems.push('body_sha256')
    return problems.length === 0 ? { agrees: true } : { agrees: false, detail: problems.join('; ') }
  },
}

/** Python's round(). Our clock counts whole milliseconds and does not need it. */
function roundHalfEven(value: number): number {
  const rounded = Math.round(value)
  return value % 1 === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded
}
