import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { secretSignatures, signRequest } from '../../src/epistula/index.js'
import { verify } from '../../src/kernel/sr25519.js'
import type { Signer } from '../../src/wallet/index.js'
import { hotkeyOf } from '../support/hotkeys.js'

const nowMs = 1_734_000_003_210
const body = Buffer.from('{"model":"org/m"}')
const bodyHash = createHash('sha256').update(body).digest('hex')
let signer: Signer
let receiver: Signer

beforeAll(async () => {
  signer = await hotkeyOf(1)
  receiver = await hotkeyOf(2)
})

/** A new signer object that records what it signs; secret signatures are cached per object. */
function countingSigner() {
  const texts: string[] = []
  const counting: Signer = {
    ...signer,
    sign(message) {
      texts.push(Buffer.from(message).toString())
      return signer.sign(message)
    },
  }
  return { counting, texts }
}

function signs(text: string, signature: string | undefined): boolean {
  return verify(Buffer.from(text), Buffer.from((signature ?? '').slice(2), 'hex'), signer.publicKey)
}

describe('signRequest', () => {
  test('signs body hash, uuid, timestamp and receiver as they are in the headers', () => {
    const headers = signRequest({ signer, signedFor: receiver.address, body, nowMs, uuid: 'u' })
    expect(headers).toMatchObject({
      'Epistula-Version': '2',
      'Epistula-Timestamp': String(nowMs),
      'Epistula-Uuid': 'u',
      'Epistula-Signed-By': signer.address,
      'Epistula-Signed-For': receiver.address,
    })
    const signature = headers['Epistula-Request-Signature']
    expect(signature).toMatch(/^0x[0-9a-f]{128}$/)
    expect(signs(`${bodyHash}.u.${nowMs}.${receiver.address}`, signature)).toBe(true)
    expect(signs(`${bodyHash}.v.${nowMs}.${receiver.address}`, signature)).toBe(false)
  })

  test('omits the receiver from headers and signed text when there is none', () => {
    const headers = signRequest({ signer, body, nowMs, uuid: 'u' })
    expect(Object.keys(headers)).toEqual([
      'Epistula-Version',
      'Epistula-Timestamp',
      'Epistula-Uuid',
      'Epistula-Signed-By',
      'Epistula-Request-Signature',
    ])
    expect(signs(`${bodyHash}.u.${nowMs}.`, headers['Epistula-Request-Signature'])).toBe(true)
  })

  test('adds secret signatures over the interval as a Python float', () => {
    const headers = signRequest({ signer, signedFor: receiver.address, body, nowMs })
    for (const [index, text] of ['1734000009999.0', '1734000010000.0', '1734000010001.0'].entries()) {
      expect(signs(`${text}.${receiver.address}`, headers[`Epistula-Secret-Signature-${index}`])).toBe(true)
    }
  })

  test('gives every request its own uuid', () => {
    const uuids = [1, 2, 3].map(() => signRequest({ signer, body, nowMs })['Epistula-Uuid'])
    expect(new Set(uuids).size).toBe(3)
  })

  test('sets X-Targon-Model only for a given model', () => {
    expect(signRequest({ signer, body, nowMs })).not.toHaveProperty('X-Targon-Model')
    expect(signRequest({ signer, body, nowMs, model: 'org/m' })['X-Targon-Model']).toBe('org/m')
  })
})

describe('secretSignatures', () => {
  test('are signed once per receiver and interval', () => {
    const { counting, texts } = countingSigner()
    signRequest({ signer: counting, signedFor: receiver.address, body, nowMs })
    signRequest({ signer: counting, signedFor: receiver.address, body, nowMs: nowMs + 6790 })
    expect(texts).toHaveLength(3 + 2)
    signRequest({ signer: counting, signedFor: receiver.address, body, nowMs: nowMs + 6791 })
    expect(texts).toHaveLength(3 + 2 + 3 + 1)
  })

  test('can be signed in advance for the next interval', () => {
    const { counting, texts } = countingSigner()
    secretSignatures(counting, receiver.address, nowMs)
    secretSignatures(counting, receiver.address, nowMs + 10_000)
    texts.length = 0
    signRequest({ signer: counting, signedFor: receiver.address, body, nowMs: nowMs + 10_000 })
    signRequest({ signer: counting, signedFor: receiver.address, body, nowMs })
    expect(texts).toHaveLength(2)
  })

  test('are forgotten when their interval is long past', () => {
    const { counting, texts } = countingSigner()
    for (const laterMs of [0, 10_000, 20_000]) secretSignatures(counting, receiver.address, nowMs + laterMs)
    texts.length = 0
    secretSignatures(counting, receiver.address, nowMs + 10_000)
    expect(texts).toHaveLength(0)
    secretSignatures(counting, receiver.address, nowMs)
    expect(texts).toHaveLength(3)
  })

  test('are not shared between signers', () => {
    expect(secretSignatures(signer, receiver.address, nowMs)).not.toEqual(
      secretSignatures(receiver, receiver.address, nowMs),
    )
  })

  test('are cached in bounded memory for many receivers', () => {
    const stub: Signer = { ...signer, sign: () => new Uint8Array(64) }
    for (let n = 0; n < 5000; n++) secretSignatures(stub, `receiver-${n}`, nowMs)
    let signed = 0
    const counted: Signer = Object.assign(stub, {
      sign: () => {
        signed++
        return new Uint8Array(64)
      },
    })
    for (let n = 0; n < 5000; n++) secretSignatures(counted, `receiver-${n}`, nowMs)
    expect(signed).toBeGreaterThan(3 * 3000)
  })
})
