import { Errors, type Hook } from '@oclif/core'
import { suggestName } from '../config/index.js'
import { TargonError } from '../kernel/index.js'
import { exitStatus } from './exit-status.js'
import { errorDocument, writeError, writeJson } from './output.js'

/** oclif's hook for unknown commands: prints one line and exits with the usage status. */
export const commandNotFound: Hook.CommandNotFound = async ({ id, argv = [], config }) => {
  const known = config.commandIDs.map((name) => name.replaceAll(':', ' '))
  const topics = config.topics.map(({ name }) => name.replaceAll(':', ' '))
  const typed = id.replaceAll(':', ' ')
  // oclif treats every leading word as part of the command name.
  const command = known.find((name) => typed.startsWith(`${name} `))
  const error = command
    ? unexpectedArguments(typed.slice(command.length + 1))
    : unknownCommand(typed, [...known, ...topics])
  if (argv.includes('--json')) writeJson(errorDocument(error))
  else writeError(error)
  throw new Errors.ExitError(exitStatus(error))
}

function unexpectedArguments(words: string): TargonError {
  const all = words.split(' ')
  return new TargonError(`Unexpected argument${all.length > 1 ? 's' : ''} ${all.join(', ')}.`, {
    code: 'USAGE',
    fault: 'usage',
    next: 'See --help.',
  })
}

function unknownCommand(typed: string, known: readonly string[]): TargonError {
  const suggestion = suggestName(typed, known)
  return new TargonError(`Unknown command ${typed}.`, {
    code: 'UNKNOWN_COMMAND',
    fault: 'usage',
    next: suggestion ? `Did you mean targon ${suggestion}?` : 'List the commands with targon --help.',
    facts: { command: typed, suggestion },
  })
}
