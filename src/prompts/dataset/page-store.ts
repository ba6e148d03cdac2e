import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { replaceFile } from '../../kernel/index.js'

const MAX_PAGES = 32
const pageSchema = z.array(z.string()).min(1)

/** Cache of question pages on disk; it also serves while the hub is unreachable. */
export interface PageStore {
  read(shard: string, group: number): Promise<string[] | undefined>
  /** Stores a page and deletes the oldest beyond `MAX_PAGES`. */
  keep(shard: string, group: number, questions: readonly string[]): Promise<void>
  /** Names of all stored pages, oldest first. */
  names(): Promise<string[]>
  readNamed(name: string): Promise<string[] | undefined>
}

export function createPageStore(folder: string): PageStore {
  const nameOf = (shard: string, group: number) =>
    `${createHash('sha256').update(`${shard}#${group}`).digest('hex').slice(0, 24)}.json`
  const readNamed = async (name: string) => {
    try {
      return pageSchema.parse(JSON.parse(await readFile(join(folder, name), 'utf8')))
    } catch {
      // missing or damaged: the page is fetched again
      return undefined
    }
  }
  const names = async () => {
    const found = await readdir(folder).catch((): string[] => [])
    const dated = await Promise.all(
      found
        .filter((name) => name.endsWith('.json'))
        .map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })),
    )
    return dated.sort((a, b) => a.at - b.at).map(({ name }) => name)
  }
  return {
    names,
    readNamed,
    read: (shard, group) => readNamed(nameOf(shard, group)),
    keep: async (shard, group, questions) => {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await replaceFile(join(folder, nameOf(shard, group)), JSON.stringify(questions))
      const all = await names()
      for (const name of all.slice(0, Math.max(0, all.length - MAX_PAGES)))
        await rm(join(folder, name), { force: true })
    },
  }
}
