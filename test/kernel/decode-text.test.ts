import { expect, it } from 'vitest'
import { decodeText } from '../../src/kernel/decode-text.js'

const TEXT = 'A=ä€\n'
const littleEndian = Buffer.from(TEXT, 'utf16le')
const bigEndian = Buffer.from(littleEndian).swap16()

it.each([
  ['UTF-8', Buffer.from(TEXT)],
  ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${TEXT}`)],
  ['UTF-16, little end first', Buffer.concat([Buffer.of(0xff, 0xfe), littleEndian])],
  ['UTF-16, big end first', Buffer.concat([Buffer.of(0xfe, 0xff), bigEndian])],
])('decodeText reads %s', (_, bytes) => {
  expect(decodeText(bytes)).toBe(TEXT)
})

it.each([
  ['UTF-16 without a mark', littleEndian],
  ['NUL bytes', Buffer.from('A=1\0')],
])('decodeText refuses %s', (_, bytes) => {
  expect(decodeText(bytes)).toBeUndefined()
})
