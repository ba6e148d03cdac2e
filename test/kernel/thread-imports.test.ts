import { readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { expect, it } from 'vitest'
import { packagesOf } from '../support/static-imports.js'

const source = new URL('../../src/', import.meta.url)
const packages = (path: string) => [...packagesOf(new URL(path, source))].sort()

it('loads into each thread only the packages of its work: a thread loads them anew', () => {
  // a folder `workers` is about processes, not threads
  const workers = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('-worker.ts') && !path.includes('/workers/'),
  )
  expect(Object.fromEntries(workers.map((path) => [basename(path), packages(path)]))).toEqual({
    'ask-thread-worker.ts': ['undici'],
    'body-worker.ts': ['undici', 'zod'],
    'signature-worker.ts': [],
    'sqlite-worker.ts': ['libsql'],
    'watchdog-worker.ts': [],
  })
})

it('loads what few validators need when they need it', () => {
  const loaded = ['roles/validator/index.ts', 'roles/index.ts', 'wallet/index.ts'].flatMap(packages)
  expect(loaded).toContain('@polkadot/types')
  const rare = ['@noble/curves/bls12-381', '@polkadot/api', 'hash-wasm', 'ioredis', 'pg']
  expect(loaded.filter((name) => rare.includes(name))).toEqual([])
})
