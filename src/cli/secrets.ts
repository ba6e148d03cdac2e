import { type Setting, type SettingName, settings } from '../config/index.js'

const SECRET_MEMBER = /key|password|secret/i

/** Values that must never be logged: secret settings, keys in sections, passwords in URLs. */
export function secretsOf(values: object): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const entry: Setting | undefined = settings[name as SettingName]
    if (!entry?.secret) return []
    return typeof value === 'string' ? [value, ...passwordOf(value)] : keysWithin(value)
  })
}

function keysWithin(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) => {
    if (typeof member !== 'string') return keysWithin(member)
    return SECRET_MEMBER.test(name) ? [member] : []
  })
}

function passwordOf(url: string): string[] {
  if (!url.includes('://') || !URL.canParse(url)) return []
  const { password } = new URL(url)
  if (password === '') return []
  try {
    return [password, decodeURIComponent(password)]
  } catch {
    return [password]
  }
}
