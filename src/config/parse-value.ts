import type { z } from 'zod'
import { maskPasswords, TargonError } from '../kernel/index.js'
import { describeOrigin, type Origin } from './origin.js'
import type { Setting } from './setting.js'
import { suggestName } from './suggestion.js'

/**
 * Parses the text of a flag or variable, or a value from the config file, with the schema of its setting.
 *
 * @throws TargonError CONFIG_BAD_VALUE that names the source; a secret value is never repeated.
 */
export function parseValue(name: string, entry: Setting, raw: unknown, origin: Origin): unknown {
  const result = entry.schema.safeParse(raw)
  if (result.success) return result.data
  const { place, must, got } = describeIssue(result.error.issues, raw)
  const subject = describeOrigin(origin) + (place === '' ? '' : `: ${place}`)
  const rule = entry.options ? `must be one of ${entry.options.join(', ')}` : must
  const shown = entry.secret || got === '' ? '' : `, got ${maskPasswords(JSON.stringify(got) ?? '')}`
  const words = entry.options ?? entry.words
  const suggestion = words && typeof got === 'string' ? suggestName(got, words) : undefined
  throw new TargonError(`${subject} ${rule}${shown}.`, {
    code: 'CONFIG_BAD_VALUE',
    fault: 'usage',
    ...(suggestion ? { next: `Did you mean ${suggestion}?` } : {}),
    facts: { name },
  })
}

/** What is wrong, from the most specific issue: in a union that of the branch whose type matched. */
function describeIssue(issues: readonly z.core.$ZodIssue[], raw: unknown) {
  const flat = issues.flatMap(function open(issue): readonly z.core.$ZodIssue[] {
    const isOpen = issue.code === 'invalid_union' && !isOurs(issue)
    return isOpen ? issue.errors.flat().flatMap(open) : [issue]
  })
  const issue = flat.find(({ code }) => code !== 'invalid_type') ?? flat[0]
  if (!issue) return { place: '', must: 'must be valid', got: raw }
  const place = issue.path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
  const got = issue.code === 'custom' && issue.params ? issue.params.got : valueAt(raw, issue.path)
  return { place: place.replace(/^\./, ''), must: wordingOf(issue), got: got ?? raw }
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  const isParent = (value: unknown): value is Readonly<Record<PropertyKey, unknown>> =>
    typeof value === 'object' && value !== null
  return path.reduce((value, part) => (isParent(value) ? value[part] : undefined), raw)
}

/** Our own messages start with "must"; those of zod start with a capital letter. */
function isOurs({ message }: z.core.$ZodIssue): boolean {
  return /^[a-z]/.test(message)
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  array: 'a list',
  object: 'an object',
}

function wordingOf(issue: z.core.$ZodIssue): string {
  if (isOurs(issue)) return issue.message
  switch (issue.code) {
    case 'too_small':
      return `must be at least ${issue.minimum}`
    case 'too_big':
      return `must be at most ${issue.maximum}`
    case 'invalid_type':
      return `must be ${TYPES[issue.expected] ?? issue.expected}`
    case 'unrecognized_keys':
      return `must not have the key ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}`
    case 'invalid_value':
      return `must be one of ${issue.values.join(', ')}`
    default:
      return 'must be valid'
  }
}
