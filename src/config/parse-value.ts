import type { z } from 'zod'
import { TargonError } from '../kernel/index.js'
import { describeOrigin, type Origin } from './origin.js'
import type { Setting } from './setting.js'
import { suggestName } from './suggestion.js'

/**
 * Text of a flag or variable, or a value of the config file, by the schema of its setting.
 *
 * @throws TargonError CONFIG_BAD_VALUE that names the source; a secret is never repeated.
 */
export function parseValue(name: string, entry: Setting, raw: unknown, origin: Origin): unknown {
  const result = entry.schema.safeParse(raw)
  if (result.success) return result.data
  const shown = entry.secret ? 'has a value that' : `is ${JSON.stringify(raw)}, which`
  const reason = entry.options ? `must be one of ${entry.options.join(', ')}` : reasonOf(result.error.issues)
  const words = entry.options ?? entry.words
  const suggestion = words && typeof raw === 'string' ? suggestName(raw, words) : undefined
  throw new TargonError(`${describeOrigin(origin)} ${shown} ${reason}.`, {
    code: 'CONFIG_BAD_VALUE',
    fault: 'usage',
    next: suggestion ? `Did you mean ${suggestion}?` : `${entry.help} Correct the value or leave it out.`,
    facts: { name },
  })
}

/** The most telling issue: inside a union, that of the branch whose type fitted. */
function reasonOf(issues: readonly z.core.$ZodIssue[]): string {
  const flat = issues.flatMap(function open(issue): readonly z.core.$ZodIssue[] {
    return issue.code === 'invalid_union' ? issue.errors.flat().flatMap(open) : [issue]
  })
  const issue = flat.find(({ code }) => code !== 'invalid_type') ?? flat[0]
  if (!issue) return 'is not valid'
  const place = issue.path.length > 0 ? ` at ${issue.path.join('.')}` : ''
  return `${wordingOf(issue)}${place}`
}

function wordingOf(issue: z.core.$ZodIssue): string {
  // Our own messages begin with a verb; those of zod with a capital, and do not fit into a sentence.
  if (/^[a-z]/.test(issue.message)) return issue.message
  switch (issue.code) {
    case 'too_small':
      return `must be at least ${issue.minimum}`
    case 'too_big':
      return `must be at most ${issue.maximum}`
    case 'invalid_type':
      return `must be of type ${issue.expected === 'int' ? 'whole number' : issue.expected}`
    case 'unrecognized_keys':
      return `must not have the key ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}`
    case 'invalid_value':
      return `must be one of ${issue.values.join(', ')}`
    default:
      return 'is not valid'
  }
}
