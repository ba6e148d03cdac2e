import { Errors } from '@oclif/core'
import { TargonError } from '../kernel/index.js'
import { unknownFlag } from './spelling.js'

/**
 * oclif's parser errors as ours; its plain `CLIError` would exit 1 although the command line is at fault. Anything else stays.
 *
 * @param known the flags of the command, without dashes.
 */
export function usageError(error: unknown, known: readonly string[]): unknown {
  if (!(error instanceof Errors.CLIError)) return error
  if ('flags' in error && Array.isArray(error.flags) && typeof error.flags[0] === 'string')
    return unknownFlag(error.flags[0], known)
  const message = error.message
    .replace(/\s*See more help with --help\s*$/, '')
    .replace(/^The following errors? occurred:\s*/, '')
    .replaceAll(/(--[\w.-]+)=true\b/g, '$1')
    .replace(/^(Unexpected arguments?): /, '$1 ')
    .replaceAll(/\s*\n\s*/g, ', ')
    .replace(/([^.?!])$/, '$1.')
  return new TargonError(message, { code: 'USAGE', fault: 'usage', next: 'See --help.' }, { cause: error })
}
