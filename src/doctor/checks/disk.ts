import { access } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Check } from '../context.js'
import { fail, ok, type Seen, warn } from '../finding.js'

const GIB = 1024 ** 3
/** Scores, history and log grow by some MB a day; below this, saving fails soon. */
const FEWEST_BYTES = 0.25 * GIB
const USUAL_BYTES = 2 * GIB

export const diskCheck: Check = {
  id: 'disk',
  title: 'reading the free disk space',
  run: async ({ stateDir, settings, machine }) => {
    const folders = [stateDir ?? settings['logging.logging_dir'], settings['update.root']]
    const seen = new Map<string, number>()
    for (const folder of folders) {
      const path = await nearestExisting(folder)
      seen.set(path, await machine.freeBytes(path))
    }
    const short = [...seen].flatMap(([path, free]): Seen[] => {
      const saw = `Only ${gib(free)} are free for ${path}.`
      const next = 'Free space on this disk, or set --logging.logging_dir to a folder on another one.'
      if (free < FEWEST_BYTES) return [fail(saw, next)]
      return free < USUAL_BYTES ? [warn(saw, next)] : []
    })
    if (short.length > 0) return short
    return [ok(`${gib(Math.min(...seen.values()))} are free.`)]
  },
}

/** The folder itself, or the one in which it would be created. */
export async function nearestExisting(path: string): Promise<string> {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const exists = await access(folder).then(
      () => true,
      () => false,
    )
    if (exists || folder === dirname(folder)) return folder
  }
}

function gib(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`
}
