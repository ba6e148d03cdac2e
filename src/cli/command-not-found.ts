import { Errors, type Hook } from '@oclif/core'
import { suggestName } from '../config/index.js'
import { TargonError } from '../kernel/index.js'
import { exitStatus } from './exit-status.js'
import { errorDocument, writeError } from './write-error.js'
import { writeJson } from './write-json.js'

/** oclif's hook for words that name no command: the same one line and status as every mistake of the command line. */
export const commandNotFound: Hook.CommandNotFound = async ({ id, argv = [], config }) => {
  const known = config.commandIDs.map((name) => name.replaceAll(':', ' '))
  const typed = id.replaceAll(':', ' ')
  // oclif takes every leading word for a part of the name.
  const command = known.find((name) => typed.startsWith(`${name} `))
  const error = command ? surplus(typed.slice(command.length + 1)) : unknown(typed, known)
  if (argv.includes('--json')) writeJson(errorDocument(error))
  else writeError(error)
  throw new Errors.ExitError(exitStatus(error))
}

function surplus(words: string): TargonError {
  const all = words.split(' ')
  return new TargonError(`Unexpected argument${all.length > 1 ? 's' : ''} ${all.join(', ')}.`, {
    code: 'USAGE',
    fault: 'usage',
    next: 'See --help.',
  })
}

function unknown(typed: string, known: readonly string[]): TargonError {
  const suggestion = suggestName(typed, known)
  return new TargonError(`There is no command ${typed}.`, {
    code: 'UNKNOWN_COMMAND',
    fault: 'usage',
    next: suggestion ? `Did you mean targon ${suggestion}?` : 'See the commands with targon --help.',
    facts: { command: typed, suggestion },
  })
}
