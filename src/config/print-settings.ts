import { maskPasswords } from '../kernel/index.js'
import { describeOrigin } from './origin.js'
import type { Resolved } from './resolve.js'
import type { Setting } from './setting.js'
import { type RoleSettings, type SettingName, settings } from './settings/index.js'

/** One setting as `--print-config` shows it. */
export interface PrintedSetting {
  readonly name: string
  /** A secret that is set is masked. */
  readonly value: unknown
  readonly source: string
}

/** The settings of a role with their sources; hidden ones only where they are set. */
export function printSettings(resolved: Resolved<keyof RoleSettings>): PrintedSetting[] {
  const values: Readonly<Record<string, unknown>> = { ...resolved.values }
  return Object.entries(resolved.origins).flatMap(([name, origin]) => {
    const entry: Setting = settings[name as SettingName]
    const isDefault = origin.kind === 'default'
    if (entry.hidden && isDefault) return []
    const value = values[name]
    const isMasked = entry.secret && !isDefault && !isUnset(value)
    return [{ name, value: isMasked ? '********' : withoutPasswords(value), source: describeOrigin(origin) }]
  })
}

/** Addresses in settings that are not secret as a whole may contain a password too. */
function withoutPasswords(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPasswords)
  return typeof value === 'string' ? maskPasswords(value) : value
}

function isUnset(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.length === 0)
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
  if (isUnset(value)) return entry.defaultText ? `(${entry.defaultText})` : '(none)'
  if (Array.isArray(value)) return value.join(',')
  if (typeof value === 'object' && value !== null && 'min' in value && 'max' in value)
    return `${value.min}-${value.max}`
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
