import { createHash } from 'node:crypto'
import { chmod, copyFile, open, rename } from 'node:fs/promises'
import { z } from 'zod'
import { hasCode, messageOf, parseJson, removeStaged, replaceFile, TargonError } from '../kernel/index.js'
import { isCache4, parsePythonJson } from './cache4.js'
import type { ScoreBookData } from './score-book.js'

const MAX_BYTES = 256 << 20

const result = z.number().nullable()
const data = z.object({
  block: z.number().int().min(0),
  miners: z.array(
    z.object({
      hotkey: z.string(),
      results: z.array(z.tuple([z.string(), z.array(result)])),
      organics: z.array(z.tuple([z.number(), result])),
    }),
  ),
})

/** The content of a score file. */
export type LoadedScores =
  | { readonly kind: 'book'; readonly data: ScoreBookData; readonly generation: 'current' | 'previous' }
  /** A cache.json of 4.x, for `readCache4`. */
  | { readonly kind: 'cache4'; readonly text: string }
  | { readonly kind: 'empty'; readonly reason: string; readonly isDamaged: boolean }

type Parsed =
  | Extract<LoadedScores, { kind: 'cache4' }>
  | { kind: 'book'; data: ScoreBookData }
  | { kind: 'bad'; reason: string }

/**
 * The score book on disk: a JSON document with a checksum over the exact bytes of the book, mode 0600, replaced atomically.
 * The previous generation stays at `<path>.previous`; at any time one of the two is a complete book. A damaged file is
 * kept at `<path>.damaged`, a 4.x cache.json at `<path>.targon-4`. The caller holds the hotkey lock: one process per file.
 */
export interface ScoreFile {
  readonly path: string
  /** @throws TargonError SCORE_FILE_PICKLE, SCORE_FILE_UNREADABLE (fault usage) */
  load(): Promise<LoadedScores>
  /** Resolves once the book is durable; saves run in order. @throws the file system's error (ENOSPC, EIO, EROFS…) */
  save(book: ScoreBookData): Promise<void>
}

export function openScoreFile(path: string): ScoreFile {
  const previous = `${path}.previous`
  let writing: Promise<void> = Promise.resolve()
  return {
    path,
    load: async () => {
      await removeStaged(path)
      const current = await readScores(path)
      if (current?.kind === 'book') return { ...current, generation: 'current' }
      if (current?.kind === 'cache4') {
        await copyFile(path, `${path}.targon-4`)
        await chmod(`${path}.targon-4`, 0o600)
        return current
      }
      if (current) await rename(path, `${path}.damaged`)
      const older = await readScores(previous)
      if (older?.kind === 'book') return { ...older, generation: 'previous' }
      const reason = current ? `${path} is damaged: ${current.reason}` : `${path} does not exist yet`
      return { kind: 'empty', reason, isDamaged: current !== undefined }
    },
    save: (book) => {
      const text = encodeScores(book)
      const next = writing.then(() => replaceFile(path, text, previous))
      writing = next.catch(() => {})
      return next
    },
  }
}

export function encodeScores(book: ScoreBookData): string {
  const body = JSON.stringify(book)
  return `{"format":"targon-scores","version":1,"sha256":"${sha256(body)}","book":${body}}\n`
}

async function readScores(path: string): Promise<Parsed | undefined> {
  let bytes: Buffer
  try {
    bytes = await readBounded(path)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw new TargonError(
      `Could not read the score file ${path}: ${messageOf(error)}.`,
      { code: 'SCORE_FILE_UNREADABLE', fault: 'usage', next: 'Correct --cache-file or its permissions.' },
      { cause: error },
    )
  }
  if (bytes[0] === 0x80)
    throw new TargonError(`The score file ${path} is a Python pickle, which could run code when read.`, {
      code: 'SCORE_FILE_PICKLE',
      fault: 'usage',
      next: 'Move the file away; scores are measured again within an epoch.',
    })
  return decodeScores(bytes.toString('utf8'))
}

export function decodeScores(text: string): Parsed {
  const head = /^\{"format":"targon-scores","version":1,"sha256":"([0-9a-f]{64})","book":/.exec(text)
  if (!head) return decodeForeign(text)
  const body = text.slice(head[0].length, -2)
  if (!text.endsWith('}\n') || sha256(body) !== head[1])
    return { kind: 'bad', reason: 'its checksum does not match' }
  const parsed = data.safeParse(parseJson(body))
  return parsed.success
    ? { kind: 'book', data: parsed.data }
    : { kind: 'bad', reason: 'its format is unknown' }
}

function decodeForeign(text: string): Parsed {
  const value = parsePythonJson(text)
  if (value === undefined) return { kind: 'bad', reason: 'it is not JSON' }
  return isCache4(value) ? { kind: 'cache4', text } : { kind: 'bad', reason: 'its format is unknown' }
}

async function readBounded(path: string): Promise<Buffer> {
  const file = await open(path, 'r')
  try {
    if ((await file.stat()).size > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES} bytes`)
    return await file.readFile()
  } finally {
    await file.close()
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
