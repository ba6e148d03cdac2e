import { describeOrigin } from './origin.js'
import type { Resolved } from './resolve.js'
import type { Setting } from './setting.js'
import { type RoleSettings, type SettingName, settings } from './settings/index.js'

/** One setting as `--print-config` shows it. */
export interface PrintedSetting {
  readonly name: string
  /** A secret is masked. */
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

/** The default on one line, followed by the defaults of roles that differ; in parentheses what a missing value means. */
export function formatDefault(name: SettingName): string {
  const entry: Setting = settings[name]
  const others = Object.entries(entry.defaultOf ?? {}).map(([role, value]) => `; ${role}: ${value}`)
  return formatValue(name, entry.default) + others.join('')
}

/** A value on one line with its unit; in parentheses what a missing value means. */
export function formatValue(name: SettingName, value: unknown): string {
  const { unit }: Setting = settings[name]
  const isAmount =
    typeof value === 'number' || (typeof value === 'object' && value !== null && 'min' in value)
  return formatBareValue(name, value) + (isAmount && unit ? ` ${unit}` : '')
}

/** A value as it can be typed, without its unit. */
export function formatBareValue(name: SettingName, value: unknown): string {
  const entry: Setting = settings[name]
  if (value === undefined || (Array.isArray(value) && value.length === 0))
    return entry.defaultText ? `(${entry.defaultText})` : '(none)'
  if (Array.isArray(value)) return value.join(',')
  if (typeof value === 'object' && value !== null && 'min' in value && 'max' in value)
    return `${value.min}-${value.max}`
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
