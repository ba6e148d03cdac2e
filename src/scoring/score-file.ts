import { chmod, copyFile, rename } from 'node:fs/promises'
import { z } from 'zod'
import {
  decodeChecked,
  encodeChecked,
  messageOf,
  readBoundedFile,
  removeStaged,
  replaceFile,
  TargonError,
} from '../kernel/index.js'
import { isCache4, parsePythonJson } from './cache4.js'
import type { ScoreBookData } from './score-book.js'

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

const FORMAT = 'targon-scores'

export function encodeScores(book: ScoreBookData): string {
  return encodeChecked(FORMAT, book)
}

async function readScores(path: string): Promise<Parsed | undefined> {
  const bytes = await readBoundedFile(path).catch((error: unknown) => {
    throw new TargonError(
      `Could not read the score file ${path}: ${messageOf(error)}.`,
      { code: 'SCORE_FILE_UNREADABLE', fault: 'usage', next: 'Correct --cache-file or its permissions.' },
      { cause: error },
    )
  })
  if (bytes === undefined) return undefined
  if (bytes[0] === 0x80)
    throw new TargonError(`The score file ${path} is a Python pickle, which could run code when read.`, {
      code: 'SCORE_FILE_PICKLE',
      fault: 'usage',
      next: 'Move the file away; scores are measured again within an epoch.',
    })
  return decodeScores(bytes.toString('utf8'))
}

export function decodeScores(text: string): Parsed {
  const decoded = decodeChecked(FORMAT, text)
  if (decoded.kind === 'foreign') return decodeForeign(text)
  if (decoded.kind === 'damaged') return { kind: 'bad', reason: 'its checksum does not match' }
  const parsed = data.safeParse(decoded.content)
  return parsed.success
    ? { kind: 'book', data: parsed.data }
    : { kind: 'bad', reason: 'its format is unknown' }
}

function decodeForeign(text: string): Parsed {
  const value = parsePythonJson(text)
  if (value === undefined) return { kind: 'bad', reason: 'it is not JSON' }
  return isCache4(value) ? { kind: 'cache4', text } : { kind: 'bad', reason: 'its format is unknown' }
}
