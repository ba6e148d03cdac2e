import { type Role, type Setting, type SettingName, settingNames, settings } from '../config/index.js'
import { TargonError } from '../kernel/index.js'

/** A command line in the current spelling. */
export interface SpelledArgv {
  readonly argv: readonly string[]
  /** Raw values of switches typed with a word (`--x=FALSE`, `--no-force-validator-permit FALSE`). */
  readonly switches: Readonly<Record<string, string>>
  readonly warnings: readonly string[]
}

interface Spelling {
  readonly name: SettingName
  readonly inverse: boolean
  readonly deprecated: boolean
  /** A flag of another role, which 4.x shared. */
  readonly ignored?: boolean
}

const WORD = /^(1|0|t|f|true|false|y|n|yes|no)$/i

/**
 * Rewrites spellings of 4.x and its README before oclif parses them: oclif accepts neither a value after a switch
 * (`--no-force-validator-permit FALSE`) nor aliases with the opposite meaning.
 *
 * @param takesWords whether a bare TRUE or FALSE after a switch is its value; off for commands with arguments.
 * @throws TargonError FLAG_WITHOUT_VALUE if another flag follows where a value is expected.
 */
export function respell(argv: readonly string[], role: Role, takesWords: boolean): SpelledArgv {
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
    if (spelling.ignored) {
      if (value === undefined) index = skipValue(argv, index, written)
      warnings.push(`--${written} has no effect on a ${role}; it is accepted because 4.x shared it.`)
      continue
    }
    if (spelling.deprecated) warnings.push(warningFor(written, spelling))
    if (settings[spelling.name].kind === 'switch') {
      const follows = takesWords && value === undefined && next !== undefined && WORD.test(next)
      if (follows) index++
      const given = value ?? (follows ? next : undefined)
      if (given !== undefined) switches[spelling.name] = spelling.inverse ? invert(given) : given
      else if (spelling.inverse) switches[spelling.name] = 'false'
      else words.push(`--${spelling.name}`)
      continue
    }
    if (value !== undefined) words.push(`--${spelling.name}=${value}`)
    else {
      index = skipValue(argv, index, written)
      words.push(`--${spelling.name}`, argv[index] ?? '')
    }
  }
  return { argv: words, switches, warnings: [...new Set(warnings)] }
}

/** The index of the value after a flag. @throws TargonError FLAG_WITHOUT_VALUE */
function skipValue(argv: readonly string[], index: number, written: string): number {
  const next = argv[index + 1]
  if (next === undefined || next.startsWith('--')) throw withoutValue(written)
  return index + 1
}

function spellingsOf(role: Role): Map<string, Spelling> {
  const spellings = new Map<string, Spelling>()
  for (const name of Object.keys(settings) as SettingName[]) {
    const { ignoredBy }: Setting = settings[name]
    if (ignoredBy?.includes(role))
      spellings.set(name, { name, inverse: false, deprecated: false, ignored: true })
  }
  for (const name of settingNames(role)) {
    const entry: Setting = settings[name]
    spellings.set(name, { name, inverse: false, deprecated: false })
    for (const alias of entry.aliases ?? []) spellings.set(alias, { name, inverse: false, deprecated: true })
    for (const alias of entry.inverseAliases ?? [])
      spellings.set(alias, { name, inverse: true, deprecated: true })
  }
  return spellings
}

/** Returns a word that is not a truth value unchanged, so that config/ refuses it. */
function invert(word: string): string {
  if (!WORD.test(word)) return word
  return /^(1|t|true|y|yes)$/i.test(word) ? 'false' : 'true'
}

function warningFor(written: string, { name, inverse }: Spelling): string {
  return inverse
    ? `--${written} is deprecated; use --${name}, which means the opposite.`
    : `--${written} is deprecated; use --${name}.`
}

function withoutValue(name: string): TargonError {
  return new TargonError(`Flag --${name} needs a value.`, {
    code: 'FLAG_WITHOUT_VALUE',
    fault: 'usage',
    next: `Write --${name} <value>, or --${name}=<value> if the value starts with two dashes.`,
  })
}
