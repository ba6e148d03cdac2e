import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openCheckedFile } from '../../src/kernel/index.js'

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'targon-checked-'))
  path = join(folder, 'numbers.json')
})
afterEach(() => rm(folder, { recursive: true }))

const openNumbers = (format = 'numbers') =>
  openCheckedFile(path, format, (value) =>
    Array.isArray(value) && value.every((item) => typeof item === 'number') ? (value as number[]) : undefined,
  )

it('saves and loads content with mode 0600, and is empty but not damaged before', async () => {
  expect(await openNumbers().load()).toMatchObject({ kind: 'empty', isDamaged: false })
  await openNumbers().save([1, 2])
  expect(await openNumbers().load()).toEqual({ kind: 'content', content: [1, 2], generation: 'current' })
  expect((await stat(path)).mode & 0o777).toBe(0o600)
})

it.each([
  ['a changed byte', (text: string) => text.replace('[3]', '[4]')],
  ['a missing end', (text: string) => text.slice(0, -3)],
  ['a later version', (text: string) => text.replace('"version":1', '"version":2')],
  ['nothing', () => ''],
])('loads the previous generation where the file has %s, and keeps the damaged one', async (_, damage) => {
  const file = openNumbers()
  await file.save([1, 2])
  await file.save([3])
  await writeFile(path, damage(await readFile(path, 'utf8')))
  expect(await file.load()).toEqual({ kind: 'content', content: [1, 2], generation: 'previous' })
  expect((await readdir(folder)).sort()).toEqual(['numbers.json.damaged', 'numbers.json.previous'])
})

it('loads neither another format nor content that does not fit', async () => {
  await openNumbers('letters').save([1])
  expect(await openNumbers().load()).toMatchObject({ kind: 'empty', isDamaged: true })
  await openCheckedFile<unknown>(path, 'numbers', (value) => value).save(['a'])
  expect(await openNumbers().load()).toMatchObject({ kind: 'empty', isDamaged: true })
})

it('says which file cannot be read', async () => {
  const other = openCheckedFile(folder, 'numbers', () => 1)
  await expect(other.load()).rejects.toThrow(/EISDIR/)
})
