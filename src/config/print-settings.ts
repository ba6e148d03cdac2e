import { describeOrigin } from './origin.js'
import type { Resolved } from './resolve.js'
import type { Setting } from './setting.js'
import { type RoleSettings, type SettingName, settings } from './settings/index.js'

/** One setting as `--print-config` shows it. */
export interface PrintedSetting {
  readonly name: string
  /** Secrets are masked. */
  readonly value: unknown
  readonly source: string
}

export function printSettings(resolved: Resolved<keyof RoleSettings>): PrintedSetting[] {
  const values: Readonly<Record<string, unknown>> = { ...resolved.values }
  return Object.entries(resolved.origins).map(([name, origin]) => {
    const entry: Setting = settings[name as SettingName]
    const value = values[name]
    return {
      name,
      value: entry.secret && value !== undefined ? '********' : value,
      source: describeOrigin(origin),
    }
  })
}

/** The default on one line, with the one of each role that differs; in parentheses what a missing value means. */
export function formatDefault(name: SettingName): string {
  const entry: Setting = settings[name]
  const others = Object.entries(entry.defaultOf ?? {}).map(([role, value]) => `; ${role}: ${value}`)
  return formatValue(name, entry.default) + others.join('')
}

/** A value on one line; what the default means when there is no value. */
export function formatValue(name: SettingName, value: unknown): string {
  const entry: Setting = settings[name]
  if (value === undefined || (Array.isArray(value) && value.length === 0))
    return entry.defaultText ? `(${entry.defaultText})` : '(none)'
  if (Array.isArray(value)) return value.join(',')
  if (typeof value === 'object' && value !== null && 'min' in value && 'max' in value)
    return `${value.min}-${value.max}`
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
