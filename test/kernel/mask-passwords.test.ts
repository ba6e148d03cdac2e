import { expect, it } from 'vitest'
import { maskPasswords } from '../../src/kernel/mask-passwords.js'

it.each([
  ['wss://user:hidden@node:9944/x', 'wss://user:[redacted]@node:9944/x'],
  ['redis://:hidden@host', 'redis://:[redacted]@host'],
  ['a http://u:hid@den@h/v1,https://v:hidden@i b', 'a http://u:[redacted]@h/v1,https://v:[redacted]@i b'],
  ['{"url":"postgres://u:hidden@h/d"}', '{"url":"postgres://u:[redacted]@h/d"}'],
  ['http://host:80/a:b@c', 'http://host:80/a:b@c'],
  ['http://user@host', 'http://user@host'],
  ['model=http://127.0.0.1:9000/v1', 'model=http://127.0.0.1:9000/v1'],
])('masks the passwords of addresses: %s', (text, masked) => {
  expect(maskPasswords(text)).toBe(masked)
})
