import { join, resolve } from 'node:path'
import { lock } from 'proper-lockfile'
import { hasCode, messageOf, TargonError } from '../../errors.js'

/** A lock not refreshed for this long belongs to a process that was killed. */
const STALE_MS = 10_000

export interface HotkeyLockOptions {
  /** State folder of this neuron; the lock lies beside it, so that two names of one hotkey exclude each other. */
  readonly stateDir: string
  readonly hotkey: string
  /** The lock was lost while running: stop at once, another process may own the hotkey. */
  readonly onLost: (error: Error) => void
  /** How often to look again for a lock left behind by a killed process, once per second. */
  readonly retries?: number
}

/**
 * One validator per hotkey and subnet on this host. After a kill -9 the next start waits until the old lock is stale.
 *
 * @returns the release
 * @throws TargonError HOTKEY_IN_USE (fault hotkey-in-use), HOTKEY_LOCK (fault runtime): the disk does not take it
 */
export async function lockHotkey(options: HotkeyLockOptions): Promise<() => Promise<void>> {
  const folder = resolve(options.stateDir, '..')
  try {
    return await lock(folder, {
      lockfilePath: join(folder, 'validator.lock'),
      realpath: false,
      stale: STALE_MS,
      update: STALE_MS / 4,
      retries: { retries: options.retries ?? 12, factor: 1, minTimeout: 1000 },
      onCompromised: options.onLost,
    })
  } catch (error) {
    if (!hasCode(error, 'ELOCKED'))
      throw new TargonError(
        `The lock ${join(folder, 'validator.lock')} cannot be taken: ${messageOf(error)}.`,
        {
          code: 'HOTKEY_LOCK',
          fault: 'runtime',
          next: 'Check that the folder can be written and the disk is not full.',
        },
        { cause: error },
      )
    throw new TargonError(
      `Another process validates with hotkey ${options.hotkey} (${join(folder, 'validator.lock')} is held).`,
      {
        code: 'HOTKEY_IN_USE',
        fault: 'hotkey-in-use',
        next: 'Stop the other validator; two with one hotkey would set weights against each other.',
        facts: { hotkey: options.hotkey },
      },
      { cause: error },
    )
  }
}
