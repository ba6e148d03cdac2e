import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock } from './clock.js'
import { hasCode, messageOf, TargonError } from './errors.js'
import type { Log } from './log.js'

/** A lock nobody refreshed for so long belongs to a dead process. */
const STALE_MS = 10_000

/** Refreshed so often within that time. */
const REFRESHES = 4

const RETRY_MS = 500

/** Defaults are for an operator's disk and processes. */
export interface LockTimes {
  /** How long to wait for another holder, by default long enough for a dead one to become stale. */
  readonly waitMs?: number
  readonly staleMs?: number
}

export interface HotkeyLockOptions extends LockTimes {
  /** Folder that is the lock: it is there while the lock is held, and its time of change tells that the holder lives. */
  readonly path: string
  /** What another holder would do with it, for the error: `validates with hotkey 5…`. */
  readonly use: string
  readonly clock: Clock
  readonly log: Pick<Log, 'info' | 'warn'>
  readonly signal?: AbortSignal
}

export interface HotkeyLock {
  /** Aborts when another process has taken the lock; a disk that fails alone never does that. */
  readonly lost: AbortSignal
  release(): Promise<void>
}

/**
 * Exclusive use of a hotkey by one process of this machine. The lock of a killed process is taken over once it is stale.
 * A disk that does not take the refreshes is waited for: nobody else can take the lock on it meanwhile, and when it is
 * back the lock is held again, or lost if somebody was faster.
 *
 * @throws TargonError HOTKEY_IN_USE (fault hotkey-in-use), HOTKEY_LOCK (fault runtime): the disk does not take it
 */
export async function lockHotkey(options: HotkeyLockOptions): Promise<HotkeyLock> {
  const { path, clock, signal, staleMs = STALE_MS } = options
  const until = clock.monotonic() + (options.waitMs ?? staleMs + 2 * RETRY_MS)
  const held = new ProcessLock(options, staleMs)
  for (;;) {
    signal?.throwIfAborted()
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      await held.take()
      return held
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

  /** @throws with code ELOCKED when somebody holds it. */
  async take(): Promise<void> {
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
    log.warn({ event: 'hotkey-lock-stale', path, err: reason }, 'could not refresh the hotkey lock')
    while (!signal.aborted) {
      try {
        await this.take()
        if (signal.aborted) await this.#release()
        else log.info({ event: 'hotkey-lock-regained', path }, 'refreshed the hotkey lock again')
        return
      } catch (error) {
        if (hasCode(error, 'ELOCKED')) return this.#lost.abort(inUse(this.#options, error))
      }
      await clock.sleep(RETRY_MS, signal).catch(() => {})
    }
  }
}

function inUse({ path, use }: HotkeyLockOptions, cause: unknown): TargonError {
  return new TargonError(
    `Another process of this machine ${use} (${path} is held).`,
    {
      code: 'HOTKEY_IN_USE',
      fault: 'hotkey-in-use',
      next: 'Stop the other one first; two with one hotkey would set weights against each other.',
      facts: { lock: path },
    },
    { cause },
  )
}

function lockUnavailable(path: string, cause: unknown): TargonError {
  return new TargonError(
    `The lock ${path} cannot be taken: ${messageOf(cause)}.`,
    {
      code: 'HOTKEY_LOCK',
      fault: 'runtime',
      next: 'Check that the folder can be written and the disk is not full.',
    },
    { cause },
  )
}
