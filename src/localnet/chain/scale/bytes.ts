/** Lower-case hex with a 0x prefix. */
export function toHex(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')}`
}

/** The 0x prefix is optional. @throws Error unless the text is hex with an even number of digits */
export function fromHex(text: string): Uint8Array {
  if (!/^(0x)?([0-9a-f]{2})*$/i.test(text)) throw new Error('bad hex')
  return new Uint8Array(Buffer.from(text.replace(/^0x/i, ''), 'hex'))
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
