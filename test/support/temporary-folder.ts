import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folders: string[] = []

/** Creates an empty folder that is removed after the tests of the file. */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `targon-${name}-`))
  folders.push(folder)
  return folder
}

/**
 * A folder that the first file of a run that needs it fills, and that all files of the run read and copy; it is removed with
 * the folder of the run. Outside the unit suites, which have such a folder, every file makes its own.
 *
 * @param fill is given an empty folder, which moves to another path afterwards
 */
export function folderMadeOnce(name: string, fill: (folder: string) => void): string {
  const place = process.env.TARGON_TEST_TEMPORARY_FOLDER
  if (place === undefined) {
    const folder = temporaryFolder(name)
    fill(folder)
    return folder
  }
  const shared = join(place, `once-${name}`)
  if (existsSync(shared)) return shared
  const own = mkdtempSync(join(place, 'once-'))
  fill(own)
  try {
    renameSync(own, shared)
  } catch {
    // another file was faster
    rmSync(own, { recursive: true })
  }
  return shared
}

export function removeTemporaryFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
}
