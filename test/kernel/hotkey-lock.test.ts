import { mkdir, mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/kernel/clock.js'
import { type HotkeyLock, type HotkeyLockOptions, lockHotkey } from '../../src/kernel/hotkey-lock.js'
import type { LogFields } from '../../src/kernel/log.js'
import { validatorLockPath } from '../../src/roles/validator/reports/records.js'

describe('lockHotkey', () => {
  let folder: string
  let logged: string[]
  let locks: HotkeyLock[]
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'targon-lock-'))
    logged = []
    locks = []
  })
  afterEach(async () => {
    for (const lock of locks) await lock.release()
    await rm(folder, { recursive: true, force: true })
  })

  const note = ({ event }: LogFields) => void logged.push(event)

  async function take(changes: Partial<HotkeyLockOptions> = {}): Promise<HotkeyLock> {
    const path = join(folder, 'state', 'validator.lock')
    const log = { info: note, warn: note }
    const lock = await lockHotkey({ path, use: 'validates', clock: systemClock, log, waitMs: 0, ...changes })
    locks.push(lock)
    return lock
  }

  it('lets exactly one of a hundred processes in, under two neuron names; the others get HOTKEY_IN_USE', async () => {
    const starts = await Promise.allSettled(
      Array.from({ length: 100 }, (_, index) =>
        take({ path: validatorLockPath(join(folder, index % 2 ? 'validator' : 'other')) }),
      ),
    )
    expect(locks).toHaveLength(1)
    for (const start of starts)
      if (start.status === 'rejected')
        expect(start.reason).toMatchObject({ code: 'HOTKEY_IN_USE', fault: 'hotkey-in-use' })
  })

  it('reports a failing disk as HOTKEY_LOCK, not as another process', async () => {
    const file = join(folder, 'file')
    await writeFile(file, '')
    await expect(take({ path: join(file, 'validator.lock') })).rejects.toMatchObject({
      code: 'HOTKEY_LOCK',
      fault: 'runtime',
    })
  })

  it('can be taken after its release, and after a killed process once it is stale', async () => {
    await (await take()).release()
    const left = join(folder, 'state', 'validator.lock')
    await mkdir(left)
    await expect(take()).rejects.toMatchObject({
      code: 'HOTKEY_IN_USE',
      next: expect.stringContaining('weights'),
    })
    await expect(take({ next: 'Wait.' })).rejects.toMatchObject({ next: 'Wait.' })
    const longAgo = Date.now() / 1000 - 60
    await utimes(left, longAgo, longAgo)
    await (await take()).release()
  })

  /** Moves the folder away and blocks its path with a file. */
  async function breakDisk(): Promise<void> {
    await rename(join(folder, 'state'), join(folder, 'away'))
    await writeFile(join(folder, 'state'), '')
  }

  async function repairDisk(): Promise<void> {
    await rm(join(folder, 'state'))
    await rename(join(folder, 'away'), join(folder, 'state'))
  }

  const waitForLog = (message: string) => expect.poll(() => logged).toContain(message)

  it('survives a failing disk, and no other process can take it afterwards', async () => {
    const lock = await take({ staleMs: 2000 })
    await breakDisk()
    await waitForLog('hotkey-lock-stale')
    const longAgo = Date.now() / 1000 - 60
    await utimes(join(folder, 'away', 'validator.lock'), longAgo, longAgo)
    await repairDisk()
    await waitForLog('hotkey-lock-regained')
    await expect(take()).rejects.toMatchObject({ code: 'HOTKEY_IN_USE' })
    expect(lock.lost.aborted).toBe(false)
    await lock.release()
    await (await take()).release()
  })

  it('is lost when another process takes it during a disk failure', async () => {
    const lock = await take({ staleMs: 2000 })
    await breakDisk()
    await waitForLog('hotkey-lock-stale')
    const now = Date.now() / 1000
    await utimes(join(folder, 'away', 'validator.lock'), now, now)
    await repairDisk()
    await expect.poll(() => lock.lost.aborted).toBe(true)
    expect(lock.lost.reason).toMatchObject({ code: 'HOTKEY_IN_USE' })
  })

  it('is not taken again after a release during a disk failure', async () => {
    const lock = await take({ staleMs: 2000 })
    await breakDisk()
    await waitForLog('hotkey-lock-stale')
    await lock.release()
    await repairDisk()
    const longAgo = Date.now() / 1000 - 60
    await utimes(join(folder, 'state', 'validator.lock'), longAgo, longAgo)
    await (await take()).release()
    expect(logged).not.toContain('hotkey-lock-regained')
  })
})
