import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode } from '../../../kernel/index.js'
import type { Sealing } from './sealing.js'

const ROW_FILE = /^[0-9a-f-]{36}\.row$/
/** A larger file was not written by this folder. */
const MAX_FILE_BYTES = 32 << 20

/**
 * One file per row (mode 0600), so that a row can be deleted on its own. A file that a killed process left half written
 * cannot be opened and is deleted when the folder is read.
 */
export interface RowFolder {
  /** A name for a new row. */
  name(): string
  /** Others are served between two portions. @throws the file system's error; then nothing is left of the file. */
  write(name: string, portions: readonly Buffer[]): Promise<void>
  /** @returns undefined when the file is gone or was sealed with another key. */
  read(name: string): Promise<Buffer | undefined>
  remove(name: string): Promise<void>
  /** Names of all rows. */
  list(): Promise<string[]>
}

/** @throws the file system's error when the folder cannot be created. */
export async function openRowFolder(path: string, sealing: Sealing): Promise<RowFolder> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  return {
    name: () => `${randomUUID()}.row`,
    write: async (name, portions) => {
      try {
        await writeFile(join(path, name), sealing.seal(portions, name), { mode: 0o600, flag: 'wx' })
      } catch (error) {
        await rm(join(path, name), { force: true }).catch(() => {})
        throw error
      }
    },
    read: async (name) => {
      try {
        if ((await stat(join(path, name))).size > MAX_FILE_BYTES) return undefined
        return sealing.open(await readFile(join(path, name)), name)
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return undefined
        throw error
      }
    },
    remove: (name) => rm(join(path, name), { force: true }),
    list: async () => (await readdir(path)).filter((name) => ROW_FILE.test(name)),
  }
}
