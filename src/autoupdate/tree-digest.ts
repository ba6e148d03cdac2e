import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A file of a release tree. */
export interface TreeEntry {
  readonly path: string
  readonly executable: boolean
}

/**
 * SHA-512 over the files of a tree, sorted by path, one line each: `100755|100644 <sha512 of the bytes> <path>\n`.
 * Independent of git's object ids, so a signature binds the bytes even if SHA-1 is broken.
 */
export async function digestTree(folder: string, entries: readonly TreeEntry[]): Promise<string> {
  const whole = createHash('sha512')
  for (const entry of [...entries].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const content = createHash('sha512')
      .update(await readFile(join(folder, entry.path)))
      .digest('hex')
    whole.update(`${entry.executable ? '100755' : '100644'} ${content} ${entry.path}\n`)
  }
  return whole.digest('hex')
}

/** Parses the output of `git ls-tree -r -l -z`. @returns the files, or why the tree is unsafe (link, submodule, size). */
export function parseTree(
  listing: string,
  maxBytes: number,
): readonly TreeEntry[] | { readonly unsafe: string } {
  const entries: TreeEntry[] = []
  let bytes = 0
  for (const line of listing.split('\0').filter((text) => text !== '')) {
    const match = /^(\d{6}) (\w+) [0-9a-f]+ +(\d+|-)\t(.+)$/s.exec(line)
    const [, mode, kind, size, path] = match ?? []
    if (mode === undefined || path === undefined)
      return { unsafe: `unexpected tree entry ${JSON.stringify(line)}` }
    if (kind !== 'blob' || (mode !== '100644' && mode !== '100755'))
      return { unsafe: `${path} is not a plain file (mode ${mode})` }
    bytes += Number(size)
    if (bytes > maxBytes) return { unsafe: `its files exceed ${maxBytes} bytes` }
    entries.push({ path, executable: mode === '100755' })
  }
  return entries
}
