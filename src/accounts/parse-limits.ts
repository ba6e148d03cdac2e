import { TargonError } from '../kernel/index.js'
import type { KeyChanges, NewKey } from './manage-keys.js'
import { badFlag, parseTime } from './parse-time.js'

const MAX_NAME_CHARS = 100

/** The key that `keys create` is asked for. @throws TargonError KEY_FLAG, KEY_NAME */
export function newKey(name: string, flags: Readonly<Record<string, unknown>>, createdAtMs: number): NewKey {
  // control characters and line breaks would garble lists
  if (name.trim() === '' || name.length > MAX_NAME_CHARS || /\p{C}/u.test(name))
    throw new TargonError(`${JSON.stringify(name)} cannot be the name of a key.`, {
      code: 'KEY_NAME',
      fault: 'usage',
      next: 'Use 1 to 100 printable characters.',
    })
  const { isRetained = true, ...changes } = parseLimits(flags, createdAtMs)
  const limits = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== null))
  return { name, limits, isRetained, createdAtMs }
}

export function unknownKey(id: string): TargonError {
  return new TargonError(`There is no key ${id}.`, {
    code: 'KEY_UNKNOWN',
    fault: 'usage',
    next: 'List the keys with: targon hub keys list; check --database.url, --wallet.name, --wallet.hotkey and --netuid.',
  })
}

/** Flags of the limits that are counts. */
const COUNTS = {
  'requests-per-minute': 'requestsPerMinute',
  'tokens-per-day': 'tokensPerDay',
  concurrent: 'concurrent',
  budget: 'budgetTokens',
} as const

const MAX_COUNT = 1_000_000_000_000
/** Removes a limit. */
const NONE = 'none'

/**
 * Limits as they are typed after `keys create` and `keys limits`; `none` removes one.
 *
 * @throws TargonError KEY_FLAG
 */
export function parseLimits(flags: Readonly<Record<string, unknown>>, nowMs: number): KeyChanges {
  const counts = Object.entries(COUNTS).flatMap(([flag, name]) => {
    const text = flags[flag]
    return text === undefined ? [] : [[name, parseCount(flag, String(text))]]
  })
  return {
    ...(Object.fromEntries(counts) as KeyChanges),
    ...(flags.models !== undefined && { models: parseModels(String(flags.models)) }),
    ...(flags.expires !== undefined && { expiresAtMs: parseExpiry(String(flags.expires), nowMs) }),
    ...(typeof flags.retention === 'boolean' && { isRetained: flags.retention }),
  }
}

function parseCount(flag: string, text: string): number | null {
  if (text === NONE) return null
  const count = /^\d{1,13}$/.test(text) ? Number(text) : 0
  if (count >= 1 && count <= MAX_COUNT) return count
  throw badFlag(flag, text, `a whole number from 1 to ${MAX_COUNT}, or ${NONE}`)
}

function parseModels(text: string): readonly string[] | null {
  if (text === NONE) return null
  const models = [...new Set(text.split(',').map((model) => model.trim()))].filter((model) => model !== '')
  if (models.length > 0) return models
  throw badFlag('models', text, `names of models with commas between them, or ${NONE}`)
}

function parseExpiry(text: string, nowMs: number): number | null {
  if (text === NONE) return null
  const time = parseTime('expires', text, nowMs, 1)
  if (time > nowMs) return time
  throw badFlag('expires', text, 'a time that lies ahead')
}
