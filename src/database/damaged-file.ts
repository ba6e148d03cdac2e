import { rename, stat } from 'node:fs/promises'
import { hasCode } from '../kernel/index.js'

/** SQLite keeps its log and the index of the log beside the file, under names made from its name. */
const PARTS = ['', '-wal', '-shm']

/**
 * Renames a damaged file with what belongs to it, so that a new one can be created and no data are lost.
 *
 * @param now milliseconds since 1970, for the new name
 * @returns the new path
 * @throws the file system's error
 */
export async function setAside(file: string, now: number): Promise<string> {
  const stamp = new Date(now)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(/[-:]/g, '')
  const name = `${file}.damaged-${stamp}`
  let target = name
  for (let copy = 2; await exists(target); copy++) target = `${name}-${copy}`
  for (const part of PARTS) {
    await rename(`${file}${part}`, `${target}${part}`).catch((error: unknown) => {
      if (!hasCode(error, 'ENOENT')) throw error
    })
  }
  return target
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
