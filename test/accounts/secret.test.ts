import { expect, test } from 'vitest'
import type { ApiKey } from '../../src/accounts/index.js'
import { createKeyId, createSecret, hashSecret } from '../../src/accounts/secret.js'

test('a secret has 32 random bytes behind the prefix, and an id shares nothing with it', () => {
  const secrets = Array.from({ length: 100 }, createSecret)
  expect(new Set(secrets).size).toBe(100)
  for (const secret of secrets) expect(secret).toMatch(/^sk-targon-[\w-]{43}$/)
  const key: Pick<ApiKey, 'id'> = { id: createKeyId() }
  expect(key.id).toMatch(/^key_[0-9a-f]{18}$/)
})

test('a secret is stored as its SHA-256', () => {
  expect(hashSecret('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})
