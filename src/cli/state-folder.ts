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

/** `<logging_dir>/<wallet>/<hotkey>/netuid<N>/<neuron.name>`, as 4.x lays it out (the name there is `targon`). */
export function stateFolderOf(location: StateLocation, role: string): string {
  const parts = [
    location['wallet.name'],
    location['wallet.hotkey'],
    `netuid${location.netuid}`,
    location['neuron.name'] ?? role,
  ]
  const bad = parts.find((part) => part === '.' || part === '..' || /[/\\\0]/.test(part))
  if (bad !== undefined)
    throw new TargonError(`${JSON.stringify(bad)} cannot name a part of the state folder.`, {
      code: 'STATE_FOLDER_NAME',
      fault: 'usage',
      next: 'Give --wallet.name, --wallet.hotkey and --neuron.name as bare names.',
    })
  return join(location['logging.logging_dir'], ...parts)
}

/**
 * Makes the folder, readable by its owner only.
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
      { code: 'STATE_FOLDER', fault: 'usage', next: 'Give a writable folder with --logging.logging_dir.' },
      { cause },
    )
  }
}
