import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { hasCode } from './errors.js'

/** Where the new content waits until it is whole. */
export function stagedPath(path: string): string {
  return `${path}.partial`
}

/**
 * Replaces a file as a whole or not at all, also when the process is killed or the power fails: written aside with mode
 * 0600, synced, renamed, the folder synced. Resolves once it is durable. One writer per file at a time: the caller
 * serialises, and holds whatever lock keeps other processes out.
 *
 * @param keepAs name the content until now goes on under; between the two renames only this one exists.
 * @throws the file system's error (ENOSPC, EIO, EROFS…); the file is then as it was, or at `keepAs`.
 */
export async function replaceFile(path: string, content: string, keepAs?: string): Promise<void> {
  const staged = stagedPath(path)
  try {
    await writeWhole(await open(staged, 'w', 0o600), content)
  } catch (error) {
    // On a full disk half a file would only keep the next one from fitting.
    await rm(staged, { force: true }).catch(() => {})
    throw error
  }
  if (keepAs !== undefined) await renameIfExists(path, keepAs)
  await rename(staged, path)
  await syncFolder(dirname(path))
}

/** The text of a file, undefined when there is none. @throws the file system's error for one that is there. */
export async function readIfExists(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

/** Removes what a killed process left half-way. */
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

/** Makes renames and new names in a folder last. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
