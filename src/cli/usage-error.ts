import { Errors } from '@oclif/core'
import { type Role, type Setting, type SettingName, settings, suggestName } from '../config/index.js'
import { TargonError } from '../kernel/index.js'

/**
 * Converts errors of oclif's parser, which would exit with 1, into usage errors. Anything else is returned unchanged.
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
    .replace(
      /^Parsing (--[\w.-]+)\s+Expected an integer but received: (.*)/,
      '$1 must be a whole number, got "$2"',
    )
    .replaceAll(/\s*\n\s*/g, ', ')
    .replace(/([^.?!])$/, '$1.')
  return new TargonError(message, { code: 'USAGE', fault: 'usage', next: 'See --help.' }, { cause: error })
}

function unknownFlag(typed: string, known: Iterable<string>): TargonError {
  const flag = typed.replace(/=.*$/s, '')
  const commands = commandsWith(flag.replace(/^--(?:no-)?/, ''))
  if (commands !== undefined) {
    return new TargonError(`${flag} is a flag of ${commands}, not of this command.`, {
      code: 'UNKNOWN_FLAG',
      fault: 'usage',
      next: 'See the flags of this command with --help.',
      facts: { flag },
    })
  }
  const suggestion = suggestName(flag.replace(/^-+/, ''), known)
  return new TargonError(`Unknown flag ${flag}.`, {
    code: 'UNKNOWN_FLAG',
    fault: 'usage',
    next: suggestion ? `Did you mean --${suggestion}?` : 'See the flags with --help.',
    facts: { flag, suggestion },
  })
}

const COMMANDS: Readonly<Record<Role, string>> = {
  miner: 'targon miner start',
  'miner check': 'targon miner check',
  validator: 'targon validator start',
  verify: 'targon verify',
  query: 'targon query',
  hub: 'targon hub start',
  update: 'targon update',
  localnet: 'targon localnet',
}

/** The commands that have this setting. */
function commandsWith(name: string): string | undefined {
  if (!Object.hasOwn(settings, name)) return undefined
  const { roles, hidden }: Setting = settings[name as SettingName]
  return hidden ? undefined : roles.map((role) => COMMANDS[role]).join(' and ')
}
