import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock } from './clock.js'
import { hasCode, messageOf, TargonError } from './errors.js'
import type { Log } from './log.js'

/** A lock that was not refreshed for this long belongs to a dead process. */
const STALE_MS = 10_000

/** Refreshes within that time. */
const REFRESHES = 4

const RETRY_MS = 500

export interface LockTimes {
  /** How long to wait for another holder; by default until the lock of a dead one is stale. */
  readonly waitMs?: number
  readonly staleMs?: number
}

export interface HotkeyLockOptions extends LockTimes {
  /** The lock is a folder: it exists while the lock is held, and its mtime shows that the holder is alive. */
  readonly path: string
  /** What another holder does, for the error message: `validates with hotkey 5…`. */
  readonly use: string
  /** What to do about it; by default for two processes that set weights. */
  readonly next?: string
  readonly clock: Clock
  readonly log: Pick<Log, 'info' | 'warn'>
  readonly signal?: AbortSignal
}

export interface HotkeyLock {
  /** Aborts when another process took the lock; a disk failure alone never aborts it. */
  readonly lost: AbortSignal
  release(): Promise<void>
}

/**
 * Exclusive use of a hotkey by one process on this machine. The lock of a killed process is taken over once stale. While
 * the disk fails, refreshing is retried: no other process can take the lock meanwhile, and once the disk is back the
 * lock is either regained or lost to a faster process.
 *
 * @throws TargonError HOTKEY_IN_USE (fault hotkey-in-use), HOTKEY_LOCK (fault runtime, the disk failed)
 */
export async function lockHotkey(options: HotkeyLockOptions): Promise<HotkeyLock> {
  const { path, clock, signal, staleMs = STALE_MS } = options
  const until = clock.monotonic() + (options.waitMs ?? staleMs + 2 * RETRY_MS)
  const lock = new ProcessLock(options, staleMs)
  for (;;) {
    signal?.throwIfAborted()
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      await lock.acquire()
      return lock
    } catch (error) {
      if (!hasCode(error, 'ELOCKED')) throw lockUnavailable(path, error)
      if (clock.monotonic() >= until) throw inUse(options, error)
    }
    await clock.sleep(RETRY_MS, signal)
  }
}

class ProcessLock implements HotkeyLock {
  readonly #options: HotkeyLockOptions
  readonly #staleMs: number
  readonly #lost = new AbortController()
  readonly #released = new AbortController()
  #release: () => Promise<void> = async () => {}

  constructor(options: HotkeyLockOptions, staleMs: number) {
    this.#options = options
    this.#staleMs = staleMs
  }

  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** @throws with code ELOCKED when another process holds it. */
  async acquire(): Promise<void> {
    const { path } = this.#options
    const { lock } = await import('proper-lockfile')
    this.#release = await lock(path, {
      lockfilePath: path,
      realpath: false,
      stale: this.#staleMs,
      update: this.#staleMs / REFRESHES,
      onCompromised: (error) => void this.#regain(error),
    })
  }

  async release(): Promise<void> {
    this.#released.abort()
    await this.#release().catch(() => {})
  }

  async #regain(reason: Error): Promise<void> {
    const { path, clock, log } = this.#options
    const { signal } = this.#released
    log.warn({ event: 'hotkey-lock-stale', path, err: reason }, 'could not refresh the hotkey lock; retrying')
    while (!signal.aborted) {
      try {
        await this.acquire()
        if (signal.aborted) await this.#release()
        else log.info({ event: 'hotkey-lock-regained', path }, 'regained the hotkey lock')
        return
      } catch (error) {
        if (hasCode(error, 'ELOCKED')) return this.#lost.abort(inUse(this.#options, error))
      }
      await clock.sleep(RETRY_MS, signal).catch(() => {})
    }
  }
}

const TWO_VALIDATORS =
  "Stop the other process first; two processes with one hotkey would overwrite each other's weights."

function inUse({ path, use, next = TWO_VALIDATORS }: HotkeyLockOptions, cause: unknown): TargonError {
  return new TargonError(
    `Another process on this machine already ${use} (it holds ${path}).`,
    {
      code: 'HOTKEY_IN_USE',
      fault: 'hotkey-in-use',
      next,
      facts: { lock: path },
    },
    { cause },
  )
}

function lockUnavailable(path: string, cause: unknown): TargonError {
  return new TargonError(
    `Could not create the hotkey lock ${path}: ${messageOf(cause)}.`,
    {
      code: 'HOTKEY_LOCK',
      fault: 'runtime',
      next: 'Check that the folder is writable and the disk is not full.',
    },
    { cause },
  )
}
