import { createHash } from 'node:crypto'
import { open, rename } from 'node:fs/promises'
import { removeStaged, replaceFile } from './durable-file.js'
import { hasCode } from './errors.js'
import { parseJson } from './json.js'

const MAX_BYTES = 256 << 20

/** A document with a checksum: a name and version of its format, and the SHA-256 of the exact bytes of its content. */
export function encodeChecked(format: string, content: unknown): string {
  const body = JSON.stringify(content)
  return `{"format":"${format}","version":1,"sha256":"${sha256(body)}","book":${body}}\n`
}

/** The content of such a document; `foreign` is a document of another format or version. */
export function decodeChecked(
  format: string,
  text: string,
):
  | { readonly kind: 'content'; readonly content: unknown }
  | { readonly kind: 'damaged' }
  | { readonly kind: 'foreign' } {
  const start = `{"format":"${format}","version":1,"sha256":"`
  const head = text.startsWith(start)
    ? /^([0-9a-f]{64})","book":/.exec(text.slice(start.length, start.length + 80))
    : null
  if (!head) return { kind: 'foreign' }
  const body = text.slice(start.length + head[0].length, -2)
  if (!text.endsWith('}\n') || sha256(body) !== head[1]) return { kind: 'damaged' }
  return { kind: 'content', content: parseJson(body) }
}

/** The bytes of a file, undefined when it does not exist. @throws the file system's error, or one for a file beyond 256 MiB. */
export async function readBoundedFile(path: string): Promise<Buffer | undefined> {
  try {
    const file = await open(path, 'r')
    try {
      if ((await file.stat()).size > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES} bytes`)
      return await file.readFile()
    } finally {
      await file.close()
    }
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

export type LoadedFile<T> =
  | { readonly kind: 'content'; readonly content: T; readonly generation: 'current' | 'previous' }
  | { readonly kind: 'empty'; readonly reason: string; readonly isDamaged: boolean }

/**
 * A document with a checksum on disk, mode 0600, replaced atomically. The previous generation stays at `<path>.previous`; at
 * any time one of the two is complete. A damaged file is kept at `<path>.damaged`. The caller holds a lock: one process per
 * file.
 */
export interface CheckedFile<T> {
  /** @throws the file system's error when a file cannot be read */
  load(): Promise<LoadedFile<T>>
  /** Resolves once the content is durable; saves run in order. @throws the file system's error (ENOSPC, EIO, EROFS…) */
  save(content: T): Promise<void>
}

/** @param read the content, or undefined when it is not of this format */
export function openCheckedFile<T>(
  path: string,
  format: string,
  read: (content: unknown) => T | undefined,
): CheckedFile<T> {
  const previous = `${path}.previous`
  let writing: Promise<void> = Promise.resolve()
  const loadOne = async (from: string) => {
    const bytes = await readBoundedFile(from)
    if (bytes === undefined) return undefined
    const decoded = decodeChecked(format, bytes.toString('utf8'))
    if (decoded.kind === 'damaged') return { reason: 'its checksum does not match' }
    const content = decoded.kind === 'content' ? read(decoded.content) : undefined
    return content === undefined ? { reason: 'its format is unknown' } : { content }
  }
  return {
    load: async () => {
      await removeStaged(path)
      const current = await loadOne(path)
      if (current?.content !== undefined)
        return { kind: 'content', content: current.content, generation: 'current' }
      if (current) await rename(path, `${path}.damaged`)
      const older = await loadOne(previous)
      if (older?.content !== undefined)
        return { kind: 'content', content: older.content, generation: 'previous' }
      const reason = current ? `${path} is damaged: ${current.reason}` : `${path} does not exist yet`
      return { kind: 'empty', reason, isDamaged: current !== undefined }
    },
    save: (content) => {
      const text = encodeChecked(format, content)
      const next = writing.then(() => replaceFile(path, text, previous))
      writing = next.catch(() => {})
      return next
    },
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
