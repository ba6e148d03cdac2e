import { beforeAll, describe, expect, test } from 'vitest'
import {
  checkSignature,
  checkTimestamp,
  type DistinctHeaders,
  hashBody,
  readCaller,
  readClaim,
  signRequest,
  verifyRequest,
} from '../../src/epistula/index.js'
import { addressOf } from '../../src/kernel/sr25519.js'
import type { Signer } from '../../src/wallet/index.js'
import { hotkeyOf } from '../support/hotkeys.js'

const nowMs = 1_734_000_003_210
const body = Buffer.from('{"model":"org/m"}')
let signer: Signer
let self: Signer
let good: Record<string, string[]>

beforeAll(async () => {
  signer = await hotkeyOf(1)
  self = await hotkeyOf(2)
  good = distinct(signRequest({ signer, signedFor: self.address, body, nowMs, model: 'org/m' }))
})

function distinct(headers: Record<string, string>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), [value]]))
}

function codeOf(headers: DistinctHeaders, at = nowMs, bytes: Uint8Array = body): string {
  const answer = verifyRequest({ headers, body: bytes, nowMs: at, signedFor: self.address })
  return answer.ok ? 'ok' : answer.code
}

describe('verifyRequest: order of checks', () => {
  test('checks version, receiver, sender, signature, timestamp and uuid in the order of 4.4.1', () => {
    const broken: Record<string, string[] | undefined> = {
      'epistula-version': ['1'],
      'epistula-signed-for': ['somebody'],
      'epistula-signed-by': ['nobody'],
      'epistula-request-signature': undefined,
      'epistula-timestamp': ['now'],
      'epistula-uuid': undefined,
    }
    const codes: string[] = []
    for (const name of Object.keys(broken)) {
      codes.push(codeOf(broken))
      broken[name] = good[name]
    }
    expect(codes).toEqual([
      'UNKNOWN_VERSION',
      'NOT_FOR_SELF',
      'INVALID_SENDER',
      'INVALID_SIGNATURE',
      'INVALID_TIMESTAMP',
      'INVALID_UUID',
    ])
    expect(codeOf(broken)).toBe('ok')
  })

  test('rejects a stale request before checking its signature', () => {
    expect(codeOf({ ...good, 'epistula-request-signature': [`0x${'00'.repeat(64)}`] }, nowMs + 8001)).toBe(
      'STALE',
    )
  })

  test('treats a malformed signer like one that is not in the metagraph', () => {
    const answer = readCaller({ ...good, 'epistula-signed-by': ['nobody'] }, self.address)
    expect(answer).toMatchObject({ ok: false, status: 401, detail: 'Signer not in metagraph' })
  })

  test.each([
    'epistula-version',
    'epistula-timestamp',
    'epistula-uuid',
    'epistula-signed-by',
    'epistula-signed-for',
    'epistula-request-signature',
    'x-targon-model',
  ])('rejects a repeated %s even if both values are equal', (name) => {
    const value = good[name]?.[0] ?? ''
    expect(codeOf({ ...good, [name]: [value, value] })).toBe('REPEATED_HEADER')
  })
})

describe('verifyRequest: timestamps', () => {
  test.each([
    [-8001, 'FROM_FUTURE'],
    [-8000, 'ok'],
    [0, 'ok'],
    [8000, 'ok'],
    [8001, 'STALE'],
  ])('received %i ms after signing: %s', (delayMs, code) => {
    expect(codeOf(good, nowMs + delayMs)).toBe(code)
  })

  test('rejects a timestamp ten years ahead, which would allow replays for ten years', () => {
    expect(checkTimestamp(nowMs + 315_360_000_000, nowMs)).toMatchObject({ code: 'FROM_FUTURE', status: 400 })
  })

  const forms = [
    '',
    ' ',
    'abc',
    '1e3',
    '1e12',
    'NaN',
    'Infinity',
    '-1734000003210',
    '+1734000003210',
    '01734000003210',
  ]
  const more = [
    ' 1734000003210',
    '1734000003210 ',
    '1734000003210\n',
    '1_734_000_003_210',
    '1734000003210.0',
    '0x193',
  ]
  const odd = [
    '١٧٣٤٠٠٠٠٠٣٢١٠',
    '173400000321',
    '17340000032100',
    '9'.repeat(5000),
    'True',
    'null',
    '１７３４００００００３２１０',
  ]
  test.each([...forms, ...more, ...odd])('rejects the timestamp %j with 400', (text) => {
    const headers = { ...good, 'epistula-timestamp': [text] }
    expect(readClaim(headers)).toMatchObject({ ok: false, code: 'INVALID_TIMESTAMP', status: 400 })
  })
})

describe('verifyRequest: signatures', () => {
  test.each([
    ['missing 0x', (hex: string) => hex],
    ['upper-case 0X', (hex: string) => `0X${hex}`],
    ['empty', () => ''],
    ['only 0x', () => '0x'],
    ['63 bytes', (hex: string) => `0x${hex.slice(2)}`],
    ['65 bytes', (hex: string) => `0x${hex}01`],
    ['white space inside', (hex: string) => `0x${hex.slice(0, 64)} ${hex.slice(64)}`],
    ['not hex', (hex: string) => `0x${hex.slice(0, -1)}g`],
  ])('rejects: %s', (_, form) => {
    const hex = (good['epistula-request-signature']?.[0] ?? '').slice(2)
    expect(codeOf({ ...good, 'epistula-request-signature': [form(hex)] })).toBe('INVALID_SIGNATURE')
  })

  test('accepts upper-case hex', () => {
    const hex = (good['epistula-request-signature']?.[0] ?? '').slice(2)
    expect(codeOf({ ...good, 'epistula-request-signature': [`0x${hex.toUpperCase()}`] })).toBe('ok')
  })

  test.each([
    ['body', {}, Buffer.from('{"model":"org/n"}')],
    ['uuid', { 'epistula-uuid': ['other'] }, body],
    ['timestamp', { 'epistula-timestamp': [String(nowMs + 1)] }, body],
  ])('rejects a request with another %s', (_, change, bytes) => {
    expect(codeOf({ ...good, ...change }, nowMs, bytes)).toBe('SIGNATURE_MISMATCH')
  })

  test('rejects a request signed for another receiver, also with our address put in', async () => {
    const other = await hotkeyOf(3)
    const relayed = distinct(signRequest({ signer, signedFor: other.address, body, nowMs }))
    expect(codeOf(relayed)).toBe('NOT_FOR_SELF')
    expect(codeOf({ ...relayed, 'epistula-signed-for': [self.address] })).toBe('SIGNATURE_MISMATCH')
  })

  test('rejects a signature over the message wrapped in <Bytes>', () => {
    const wrapping: Signer = {
      ...signer,
      sign: (message) => signer.sign(Buffer.from(`<Bytes>${Buffer.from(message)}</Bytes>`)),
    }
    expect(codeOf(distinct(signRequest({ signer: wrapping, signedFor: self.address, body, nowMs })))).toBe(
      'SIGNATURE_MISMATCH',
    )
  })

  test('rejects an empty uuid', () => {
    const headers = distinct(signRequest({ signer, signedFor: self.address, body, nowMs, uuid: '' }))
    expect(codeOf(headers)).toBe('INVALID_UUID')
  })

  test('accepts any other uuid text', () => {
    for (const uuid of ['abc', 'a.b.c', 'x'.repeat(9000)]) {
      expect(codeOf(distinct(signRequest({ signer, signedFor: self.address, body, nowMs, uuid })))).toBe('ok')
    }
  })
})

describe('readCaller', () => {
  test('rejects other notations of the same key: hex, prefix 0, lower case, one letter more', async () => {
    const { encodeAddress } = await import('@polkadot/util-crypto/address')
    const aliases = [
      `0x${Buffer.from(signer.publicKey).toString('hex')}`,
      encodeAddress(signer.publicKey, 0),
      encodeAddress(signer.publicKey, 1),
      signer.address.toLowerCase(),
      `${signer.address}1`,
      ` ${signer.address}`,
      '',
    ]
    for (const alias of aliases) {
      expect(readCaller({ ...good, 'epistula-signed-by': [alias] }, self.address)).toMatchObject({
        code: 'UNKNOWN_SIGNER',
      })
    }
    expect(addressOf(signer.publicKey)).toBe(signer.address)
  })
})

describe('the checks of a server', () => {
  test('verify headers before the body, and the hash of the body afterwards', () => {
    const caller = readCaller(good, self.address)
    const claim = readClaim(good)
    expect(caller).toMatchObject({ ok: true, signedBy: signer.address, signedFor: self.address })
    if (!claim.ok) throw new Error(claim.code)
    expect(checkTimestamp(claim.timestampMs, nowMs)).toBeUndefined()
    expect(checkSignature(claim, hashBody(body))).toBeUndefined()
    expect(checkSignature(claim, hashBody(Buffer.from('')))).toMatchObject({ code: 'SIGNATURE_MISMATCH' })
  })

  test('accept a request without a receiver only where that is expected', () => {
    const unaddressed = distinct(signRequest({ signer, body, nowMs }))
    expect(verifyRequest({ headers: unaddressed, body, nowMs, signedFor: '' })).toMatchObject({ ok: true })
    expect(codeOf(unaddressed)).toBe('NOT_FOR_SELF')
    expect(verifyRequest({ headers: good, body, nowMs, signedFor: '' })).toMatchObject({
      code: 'NOT_FOR_SELF',
    })
  })
})
