import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { hasCode } from './errors.js'

/** Where new content is written before it replaces the file. */
export function stagedPath(path: string): string {
  return `${path}.partial`
}

/**
 * Replaces a file atomically and durably, even if the process is killed or the power fails: writes a staged file with
 * mode 0600, syncs it, renames it and syncs the folder. Allows one writer per file: callers serialise their writes and
 * lock out other processes.
 *
 * @param previousPath where the old content is kept; between the two renames only this copy exists.
 * @throws the file system's error (ENOSPC, EIO, EROFS…); the old content is then still at `path` or `previousPath`.
 */
export async function replaceFile(path: string, content: string, previousPath?: string): Promise<void> {
  const staged = stagedPath(path)
  try {
    await writeWhole(await open(staged, 'w', 0o600), content)
  } catch (error) {
    // On a full disk a partial file would take the space the next attempt needs.
    await rm(staged, { force: true }).catch(() => {})
    throw error
  }
  if (previousPath !== undefined) await renameIfExists(path, previousPath)
  await rename(staged, path)
  await syncFolder(dirname(path))
}

/** The text of a file, or undefined if it does not exist. @throws the file system's error when it cannot be read. */
export async function readIfExists(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

/** Removes the staged file a killed process may have left. */
export async function removeStaged(path: string): Promise<void> {
  await rm(stagedPath(path), { force: true })
}

async function writeWhole(file: FileHandle, content: string): Promise<void> {
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function renameIfExists(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
  }
}

/** Makes renames and new files in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
