import { mkdir, mkdtemp, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lockHotkey } from '../../../src/roles/validator/hotkey-lock.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'targon-lock-'))
})
afterEach(() => rm(folder, { recursive: true }))

const options = (name: string) => ({
  stateDir: join(folder, name),
  hotkey: '5Hot',
  onLost: () => {},
  retries: 0,
})

test('a hundred starts at once, under two neuron names: exactly one runs, the others end with a named error', async () => {
  const starts = await Promise.allSettled(
    Array.from({ length: 100 }, (_, index) => lockHotkey(options(index % 2 ? 'validator' : 'other'))),
  )
  const running = starts.filter((start) => start.status === 'fulfilled')
  expect(running).toHaveLength(1)
  for (const start of starts)
    if (start.status === 'rejected')
      expect(start.reason).toMatchObject({ code: 'HOTKEY_IN_USE', fault: 'hotkey-in-use' })
  await running[0]?.value()
})

test('a folder that cannot be written is no other process: a fault to start again after', async () => {
  const gone = { ...options('validator'), stateDir: join(folder, 'gone', 'validator') }
  await expect(lockHotkey(gone)).rejects.toMatchObject({ code: 'HOTKEY_LOCK', fault: 'runtime' })
})

test('a released lock and one left behind by a killed process can be taken', async () => {
  await (await lockHotkey(options('validator')))()
  const left = join(folder, 'validator.lock')
  await mkdir(left)
  await expect(lockHotkey(options('validator'))).rejects.toMatchObject({ code: 'HOTKEY_IN_USE' })
  const longAgo = Date.now() / 1000 - 60
  await utimes(left, longAgo, longAgo)
  await (await lockHotkey(options('validator')))()
})
