import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf, TargonError } from '../kernel/index.js'

export interface StateLocation {
  readonly 'logging.logging_dir': string
  readonly 'wallet.name': string
  readonly 'wallet.hotkey': string
  readonly netuid: number
  readonly 'neuron.name': string | undefined
}

/** `<logging_dir>/<wallet>/<hotkey>/netuid<N>/<neuron.name>`, the layout of 4.x (where the name is `targon`). */
export function stateFolderOf(location: StateLocation, role: string): string {
  const parts = [
    location['wallet.name'],
    location['wallet.hotkey'],
    `netuid${location.netuid}`,
    location['neuron.name'] ?? role,
  ]
  const invalid = parts.find((part) => part === '.' || part === '..' || /[/\\\0]/.test(part))
  if (invalid !== undefined)
    throw new TargonError(
      `The state folder cannot be named after ${JSON.stringify(invalid)}, which is a path.`,
      {
        code: 'STATE_FOLDER_NAME',
        fault: 'usage',
        next: 'Set --wallet.name, --wallet.hotkey and --neuron.name to plain names.',
      },
    )
  return join(location['logging.logging_dir'], ...parts)
}

/**
 * Creates the state folder, accessible only to its owner.
 *
 * @throws TargonError STATE_FOLDER
 */
export function openStateFolder(location: StateLocation, role: string): string {
  const folder = stateFolderOf(location, role)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    chmodSync(folder, 0o700)
    return folder
  } catch (cause) {
    throw new TargonError(
      `Cannot use the state folder ${folder}: ${messageOf(cause)}.`,
      { code: 'STATE_FOLDER', fault: 'usage', next: 'Set --logging.logging_dir to a writable folder.' },
      { cause },
    )
  }
}
