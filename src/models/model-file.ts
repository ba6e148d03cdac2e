import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { messageOf, TargonError } from '../kernel/index.js'
import { isModelName, MODEL_LIMIT } from './model-name.js'

const NAME = 'models.txt'

/** Looked for at each reading: the operator may write one while the validator runs. */
export function defaultModelFile(folder = '.'): string {
  const own = resolve(folder, NAME)
  return existsSync(own) ? own : fileURLToPath(new URL(`../../${NAME}`, import.meta.url))
}

/** Names of a models.txt: split on white space, `#` starts a comment, each name once, in order. */
export function parseModelFile(text: string): string[] {
  const words = text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .flatMap((line) => line.replace(/(^|\s)#.*$/, '').split(/\s+/))
    .filter((word) => word !== '')
  return [...new Set(words)]
}

/** @throws TargonError MODELS_FILE (usage) when it cannot be read, is empty or holds something that is no model name */
export async function readModelFile(path: string): Promise<string[]> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw refused(path, messageOf(error), { cause: error })
  }
  const names = parseModelFile(text)
  const wrong = names.find((name) => !isModelName(name))
  if (wrong !== undefined) throw refused(path, `"${wrong.slice(0, 100)}" is not the name of a model`)
  if (names.length === 0) throw refused(path, 'it names no model')
  if (names.length > MODEL_LIMIT)
    throw refused(path, `it names ${names.length} models, ${MODEL_LIMIT} are allowed`)
  return names
}

function refused(path: string, why: string, options?: ErrorOptions): TargonError {
  return new TargonError(
    `The model file ${path} cannot be used: ${why}.`,
    {
      code: 'MODELS_FILE',
      fault: 'usage',
      next: 'Write one model name per line, or choose another file with --models.file.',
    },
    options,
  )
}
