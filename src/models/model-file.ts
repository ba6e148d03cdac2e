import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decodeText, messageOf, TargonError } from '../kernel/index.js'
import { isModelName, MODEL_LIMIT } from './model-name.js'

const NAME = 'models.txt'

/** models.txt of the folder, or else the bundled one. Resolved at every refresh, as the operator may create one later. */
export function defaultModelFile(folder = '.'): string {
  const local = resolve(folder, NAME)
  return existsSync(local) ? local : fileURLToPath(new URL(`../../${NAME}`, import.meta.url))
}

/** The names in a models.txt: separated by white space, `#` starts a comment, duplicates are dropped. */
export function parseModelFile(text: string): string[] {
  const words = text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .flatMap((line) => line.replace(/(^|\s)#.*$/, '').split(/\s+/))
    .filter((word) => word !== '')
  return [...new Set(words)]
}

/** @throws TargonError MODELS_FILE (usage) when it cannot be read, is empty or contains an invalid name */
export async function readModelFile(path: string): Promise<string[]> {
  let text: string
  try {
    text = decodeText(await readFile(path)) ?? ''
  } catch (error) {
    throw invalidFile(path, messageOf(error), { cause: error })
  }
  if (text === '') throw invalidFile(path, 'it is empty, or not a text in UTF-8')
  const names = parseModelFile(text)
  const invalid = names.find((name) => !isModelName(name))
  if (invalid !== undefined) throw invalidFile(path, `"${invalid.slice(0, 100)}" is not a valid model name`)
  if (names.length === 0) throw invalidFile(path, 'it contains no model name')
  if (names.length > MODEL_LIMIT)
    throw invalidFile(path, `it contains ${names.length} names, at most ${MODEL_LIMIT} are allowed`)
  return names
}

function invalidFile(path: string, reason: string, options?: ErrorOptions): TargonError {
  return new TargonError(
    `The model file ${path} cannot be used: ${reason}.`,
    {
      code: 'MODELS_FILE',
      fault: 'usage',
      next: 'Write one model name per line, or set --models.file to another file.',
    },
    options,
  )
}
