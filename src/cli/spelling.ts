import {
  type Role,
  type Setting,
  type SettingName,
  settingNames,
  settings,
  suggestName,
} from '../config/index.js'
import { TargonError } from '../kernel/index.js'

/** A command line in our own spelling. */
export interface SpelledArgv {
  readonly argv: readonly string[]
  /** Switches given with a word (`--x=FALSE`, `--no-force-validator-permit FALSE`), raw. */
  readonly switches: Readonly<Record<string, string>>
  readonly warnings: readonly string[]
}

interface Spelling {
  readonly name: SettingName
  readonly inverse: boolean
  readonly deprecated: boolean
}

const WORD = /^(1|0|t|f|true|false|y|n|yes|no)$/i

/**
 * Rewrites the spellings of the old README and of 4.x into ours before the parser sees them, because a parser of
 * switches refuses `--no-force-validator-permit FALSE` and knows no opposite names.
 *
 * @param wordsFollow a bare TRUE or FALSE after a switch belongs to it; off for commands that take arguments.
 * @throws TargonError FLAG_WITHOUT_VALUE when a flag stands where a value should.
 */
export function respell(argv: readonly string[], role: Role, wordsFollow: boolean): SpelledArgv {
  const spellings = spellingsOf(role)
  const words: string[] = []
  const switches: Record<string, string> = {}
  const warnings: string[] = []
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? ''
    if (word === '--') {
      words.push(...argv.slice(index))
      break
    }
    const [, written = '', value] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? []
    const spelling = spellings.get(written)
    const next = argv[index + 1]
    if (!spelling) {
      words.push(word)
      continue
    }
    if (spelling.deprecated) warnings.push(warningFor(written, spelling))
    if (settings[spelling.name].kind === 'switch') {
      const follows = wordsFollow && value === undefined && next !== undefined && WORD.test(next)
      if (follows) index++
      const given = value ?? (follows ? next : undefined)
      if (given !== undefined) switches[spelling.name] = spelling.inverse ? invert(given) : given
      else if (spelling.inverse) switches[spelling.name] = 'false'
      else words.push(`--${spelling.name}`)
      continue
    }
    if (value !== undefined) words.push(`--${spelling.name}=${value}`)
    else {
      if (next === undefined || next.startsWith('--')) throw withoutValue(written)
      words.push(`--${spelling.name}`, next)
      index++
    }
  }
  return { argv: words, switches, warnings }
}

function spellingsOf(role: Role): Map<string, Spelling> {
  const spellings = new Map<string, Spelling>()
  for (const name of settingNames(role)) {
    const entry: Setting = settings[name]
    spellings.set(name, { name, inverse: false, deprecated: false })
    for (const alias of entry.aliases ?? []) spellings.set(alias, { name, inverse: false, deprecated: true })
    for (const alias of entry.inverseAliases ?? [])
      spellings.set(alias, { name, inverse: true, deprecated: true })
  }
  return spellings
}

/** A word that is no truth value is handed on, so that config/ refuses it. */
function invert(word: string): string {
  if (!WORD.test(word)) return word
  return /^(1|t|true|y|yes)$/i.test(word) ? 'false' : 'true'
}

function warningFor(written: string, { name, inverse }: Spelling): string {
  return inverse
    ? `--${written} is an old spelling; use --${name}, which means the opposite.`
    : `--${written} is an old spelling; use --${name}.`
}

function withoutValue(name: string): TargonError {
  return new TargonError(`Flag --${name} has no value.`, {
    code: 'FLAG_WITHOUT_VALUE',
    fault: 'usage',
    next: `Write --${name} <value>, or --${name}=<value> when the value starts with two dashes.`,
  })
}

/** @param known the flags of the command, without dashes. */
export function unknownFlag(word: string, known: Iterable<string>): TargonError {
  const written = word.replace(/=.*$/s, '')
  const elsewhere = commandsWith(written.replace(/^--(?:no-)?/, ''))
  if (elsewhere !== undefined) {
    return new TargonError(`Flag ${written} belongs to ${elsewhere}.`, {
      code: 'UNKNOWN_FLAG',
      fault: 'usage',
      next: 'See the flags of this command with --help.',
      facts: { flag: written },
    })
  }
  const suggestion = suggestName(written.replace(/^-+/, ''), known)
  return new TargonError(`Unknown flag ${written}.`, {
    code: 'UNKNOWN_FLAG',
    fault: 'usage',
    next: suggestion ? `Did you mean --${suggestion}?` : 'See the flags with --help.',
    facts: { flag: written, suggestion },
  })
}

const COMMANDS: Readonly<Record<Role, string>> = {
  miner: 'targon miner start',
  validator: 'targon validator start',
  query: 'targon query',
  update: 'targon update',
  localnet: 'targon localnet',
}

/** The commands that have a setting, when it is one of another command. */
function commandsWith(name: string): string | undefined {
  if (!Object.hasOwn(settings, name)) return undefined
  const { roles, hidden }: Setting = settings[name as SettingName]
  return hidden ? undefined : roles.map((role) => COMMANDS[role]).join(' and ')
}
