import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { lock } from 'proper-lockfile'
import type { Clock } from '../../clock.js'
import { hasCode, TargonError } from '../../errors.js'

/** A lock nobody refreshed for so long belongs to a dead process. */
const STALE_MS = 10_000
const RETRY_MS = 500

export interface HotkeyLock {
  /** Aborts when the lock was taken away: another process believes this one dead. */
  readonly lost: AbortSignal
  release(): Promise<void>
}

export interface LockTimes {
  /** How long to wait for another holder, by default long enough for a dead one to become stale. */
  readonly waitMs?: number
  readonly staleMs?: number
}

/**
 * Exclusive use of a hotkey on a subnet by one process of this machine. The lock is a folder beside `path`, refreshed
 * while the process lives; that of a killed process is taken over once it is stale.
 *
 * @throws TargonError HOTKEY_IN_USE (fault hotkey-in-use).
 */
export async function lockHotkey(
  path: string,
  clock: Clock,
  signal?: AbortSignal,
  { waitMs = STALE_MS + 2 * RETRY_MS, staleMs = STALE_MS }: LockTimes = {},
): Promise<HotkeyLock> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const lost = new AbortController()
  const until = clock.monotonic() + waitMs
  for (;;) {
    signal?.throwIfAborted()
    try {
      const release = await lock(path, {
        stale: staleMs,
        realpath: false,
        onCompromised: (error) => lost.abort(error),
      })
      return { lost: lost.signal, release: () => release().catch(() => {}) }
    } catch (error) {
      if (!hasCode(error, 'ELOCKED')) throw error
      if (clock.monotonic() >= until) throw hotkeyInUse(path)
    }
    await clock.sleep(RETRY_MS, signal)
  }
}

function hotkeyInUse(path: string): TargonError {
  return new TargonError('Another process of this machine sets weights with this hotkey.', {
    code: 'HOTKEY_IN_USE',
    fault: 'hotkey-in-use',
    next: `Stop the other process first. Its lock is ${path}.lock.`,
    facts: { lock: `${path}.lock` },
  })
}
