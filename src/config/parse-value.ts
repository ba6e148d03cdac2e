import type { z } from 'zod'
import { TargonError } from '../errors.js'
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
  const suggestion = entry.options && typeof raw === 'string' ? suggestName(raw, entry.options) : undefined
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
  if (issue.code === 'too_small') return `must be at least ${issue.minimum}`
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}`
  if (issue.code === 'invalid_type' && issue.expected !== 'int') return `must be of type ${issue.expected}`
  return issue.message
}
