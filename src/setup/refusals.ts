import { messageOf, TargonError } from '../kernel/index.js'

/** There is no terminal to ask in. @param missing flags, or what they stand for */
export function answersMissing(missing: readonly string[]): TargonError {
  return new TargonError(
    `There is no terminal to ask in, and these answers are missing: ${missing.join(', ')}.`,
    {
      code: 'SETUP_INCOMPLETE',
      fault: 'usage',
      next: 'Give them as arguments; keys by their variables (TARGON_API_KEY, TARGON_ENGINE_API_KEY, TARGON_DATABASE_URL).',
      facts: { missing },
    },
  )
}

export function fileExists(file: string): TargonError {
  return new TargonError(`${file} exists and was left as it is.`, {
    code: 'SETUP_FILE_EXISTS',
    fault: 'usage',
    next: 'Replace it with --force (its content is kept beside it), or run init in another folder.',
  })
}

export function unwritable(file: string, cause: unknown): TargonError {
  return new TargonError(
    `The settings file ${file} could not be written: ${messageOf(cause)}.`,
    { code: 'SETUP_FILE', fault: 'usage', next: 'Run init in a folder that this user may write to.' },
    { cause },
  )
}
