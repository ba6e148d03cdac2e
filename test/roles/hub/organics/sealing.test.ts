import { randomBytes } from 'node:crypto'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import {
  createSealing,
  readSealingKey,
  type Sealing,
  unsealed,
} from '../../../../src/roles/hub/organics/sealing.js'
import { removeTemporaryFolders, temporaryFolder } from '../../../support/temporary-folder.js'

afterAll(removeTemporaryFolders)

const key = randomBytes(32)
const TEXT = JSON.stringify({ request: { messages: [{ role: 'user', content: 'a secret: ü' }] } })
const text = Buffer.from(TEXT)
const PORTIONS = [text.subarray(0, 20), Buffer.alloc(0), text.subarray(20)]
const sealed = (sealing: Sealing, name: string) => Buffer.concat([...sealing.seal(PORTIONS, name)])

function keyFile(content: string | Buffer, mode = 0o600): string {
  const path = join(temporaryFolder('key'), 'key')
  writeFileSync(path, content)
  chmodSync(path, mode)
  return path
}

test('opens what it sealed, and the bytes do not contain the text', () => {
  const sealing = createSealing(key)
  const bytes = sealed(sealing, 'a.row')
  expect(sealing.open(bytes, 'a.row')?.toString()).toBe(TEXT)
  expect(bytes.includes('secret')).toBe(false)
  expect(sealed(sealing, 'a.row').equals(bytes), 'the nonce is random').toBe(false)
})

test('opens nothing that was changed, cut, renamed or sealed with another key', () => {
  const sealing = createSealing(key)
  const bytes = sealed(sealing, 'a.row')
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes)
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
    expect(sealing.open(changed, 'a.row'), `byte ${at}`).toBeUndefined()
    expect(sealing.open(bytes.subarray(0, at), 'a.row'), `cut at ${at}`).toBeUndefined()
  }
  expect(sealing.open(bytes, 'b.row')).toBeUndefined()
  expect(createSealing(randomBytes(32)).open(bytes, 'a.row')).toBeUndefined()
})

test('does not take sealed rows for plain ones, or plain ones for sealed ones', () => {
  expect(unsealed.open(sealed(unsealed, 'a'), 'a')?.toString()).toBe(TEXT)
  expect(unsealed.open(sealed(createSealing(key), 'a'), 'a')).toBeUndefined()
  expect(createSealing(key).open(sealed(unsealed, 'a'), 'a')).toBeUndefined()
})

test.each([
  ['hexadecimal', key.toString('hex')],
  ['hexadecimal with a line feed', `${key.toString('hex')}\n`],
  ['base64', key.toString('base64')],
  ['base64url', key.toString('base64url')],
])('reads a key in %s', async (_, content) => {
  expect(Buffer.from(await readSealingKey(keyFile(content)))).toEqual(key)
})

test.each([
  ['a key that others may read', () => keyFile(key.toString('hex'), 0o640), /other users .* may read it/],
  ['a short key', () => keyFile('abcd'), /does not contain 32 bytes/],
  ['an empty file', () => keyFile(''), /does not contain 32 bytes/],
  ['a long file', () => keyFile('a'.repeat(2000)), /longer than a key/],
  ['a missing file', () => join(temporaryFolder('key'), 'none'), /ENOENT/],
])('refuses %s', async (_, path, message) => {
  await expect(readSealingKey(path())).rejects.toMatchObject({
    code: 'RETAIN_KEY_UNREADABLE',
    fault: 'usage',
    message: expect.stringMatching(message),
  })
})
