import { type Clock, type HotkeyLock, type Log, lockHotkey, TargonError } from '../../../kernel/index.js'

interface LockContext {
  readonly clock: Clock
  readonly log: Pick<Log, 'info' | 'warn'>
  readonly signal: AbortSignal
}

/** Exclusive use of a calibration file. @throws TargonError CALIBRATION_RUNNING (fault usage), HOTKEY_LOCK (runtime) */
export async function lockCalibration(
  path: string,
  model: string,
  context: LockContext,
): Promise<HotkeyLock> {
  return await lockHotkey({ ...context, path: `${path}.lock`, use: `calibrates ${model}` }).catch(
    (error: unknown) => {
      if (!(error instanceof TargonError) || error.code !== 'HOTKEY_IN_USE') throw error
      throw new TargonError(
        `Another process calibrates ${model}, perhaps the running validator (it holds ${path}.lock).`,
        {
          code: 'CALIBRATION_RUNNING',
          fault: 'usage',
          next: 'Wait until it has finished; validator report shows the state.',
        },
        { cause: error },
      )
    },
  )
}
