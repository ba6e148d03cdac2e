import { join, resolve } from 'node:path'

/** The lock of a validator lies beside its state folder, so that two names of one hotkey exclude each other. */
export function lockPathOf(stateDir: string): string {
  return join(resolve(stateDir, '..'), 'validator.lock')
}
