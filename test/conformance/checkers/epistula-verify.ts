import {
  checkSignature,
  checkTimestamp,
  hashBody,
  type Refusal,
  readClaim,
} from '../../../src/epistula/index.js'
import { initSr25519, publicKeyOf, verify } from '../../../src/kernel/sr25519.js'
import { type Case, type Checker, type Finding, sameJson } from '../checker.js'

/** 4.4.1 verify_signature: accepted, or the text of the refusal. */
export const checker: Checker = {
  vectors: 'epistula_verify',
  rules: {
    'refused-instead-of-raised': 'the original threw (HTTP 500); ours refuses with 400',
    'future-bound': 'timestamps more than 8000 ms ahead are refused; the original had no future bound',
    'timestamp-form': 'exactly 13 ASCII digits; the original accepted whatever int() accepts',
    'sender-form':
      'the sender is an ss58 address with prefix 42; the original also accepted hex keys and other prefixes',
    'signature-form': '0x and 128 hex digits; the original also accepted white space and other forms',
    'raw-message-only': 'only the message itself is signed; the original also accepted it wrapped in <Bytes>',
    'empty-uuid': 'an empty uuid is refused: it cannot tell a request from its replay',
    'body-is-bytes': 'our bodies are bytes by type and cannot be text',
  },
  async check(testCase, file) {
    await initSr25519()
    const ours = verifyCase(testCase)
    const { expected } = testCase
    if (!expected.raises && sameJson({ ok: ours.ok, error: ours.ok ? null : ours.detail }, expected)) {
      return { agrees: true }
    }
    return explain(testCase, file, ours)
  },
}

function verifyCase(testCase: Case): Refusal | { ok: true } {
  const text = (value: unknown) => (typeof value === 'string' ? [value] : undefined)
  const claim = readClaim({
    'epistula-request-signature': text(testCase.signature),
    'epistula-timestamp': testCase.timestamp === null ? undefined : [String(testCase.timestamp)],
    'epistula-signed-by': text(testCase.signed_by),
    'epistula-signed-for': text(testCase.signed_for),
    'epistula-uuid': text(testCase.uuid),
  })
  if (!claim.ok) return claim
  const hash = hashBody(Buffer.from(testCase.body_hex ?? '', 'hex'))
  return checkTimestamp(claim.timestampMs, testCase.now_ms) ?? checkSignature(claim, hash) ?? { ok: true }
}

function explain(testCase: Case, file: Case, ours: Refusal | { ok: true }): Finding {
  const { expected } = testCase
  const rule = (name: string): Finding => ({ agrees: false, explainedBy: name })
  if (testCase.body_is_text && expected.error === 'Body is not of type bytes') return rule('body-is-bytes')
  if (ours.ok) return { agrees: false, detail: `accepted, expected ${JSON.stringify(expected)}` }
  if (expected.raises) return ours.status === 400 ? rule('refused-instead-of-raised') : { agrees: false }
  if (ours.code === 'INVALID_TIMESTAMP' && !/^\d{13}$/.test(String(testCase.timestamp)))
    return rule('timestamp-form')
  if (ours.code === 'FROM_FUTURE' && Number(testCase.timestamp) > testCase.now_ms + file.allowed_age_ms) {
    return rule('future-bound')
  }
  if (ours.code === 'INVALID_SENDER' && publicKeyOf(String(testCase.signed_by)) === undefined)
    return rule('sender-form')
  if (ours.code === 'INVALID_SIGNATURE' && !/^0x[0-9a-f]{128}$/i.test(String(testCase.signature))) {
    return rule('signature-form')
  }
  if (ours.code === 'SIGNATURE_MISMATCH' && expected.ok && isWrapped(testCase))
    return rule('raw-message-only')
  if (ours.code === 'INVALID_UUID' && testCase.uuid === '') return rule('empty-uuid')
  return { agrees: false, detail: `${ours.code}, expected ${JSON.stringify(expected)}` }
}

function isWrapped(testCase: Case): boolean {
  const hash = hashBody(Buffer.from(testCase.body_hex ?? '', 'hex'))
  const message = `<Bytes>${hash}.${testCase.uuid}.${testCase.timestamp}.${testCase.signed_for}</Bytes>`
  const publicKey = publicKeyOf(testCase.signed_by)
  const signature = Buffer.from(String(testCase.signature).slice(2), 'hex')
  return publicKey !== undefined && verify(Buffer.from(message), signature, publicKey)
}
