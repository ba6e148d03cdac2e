import { signRequest } from '../../src/epistula/index.js'
import { hotkeyOf } from '../support/hotkeys.js'

const miner = await hotkeyOf(1)
const validator = await hotkeyOf(2)

export interface Signed {
  readonly uuid: string
  readonly headers: Record<string, string>
  readonly head: string
  readonly body: string
}

/** A complete signed request as text for a raw socket. */
export function signedPost(
  body: string,
  options: { path?: string; nowMs?: number; signer?: typeof validator } = {},
): Signed {
  const { path = '/v1/chat/completions', nowMs = Date.now(), signer = validator } = options
  const headers = signRequest({ signer, signedFor: miner.address, body: Buffer.from(body), nowMs })
  const lines = Object.entries({
    ...headers,
    host: 'gauntlet',
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
  })
  return {
    uuid: headers['Epistula-Uuid'] ?? '',
    headers,
    head: `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
    body,
  }
}
