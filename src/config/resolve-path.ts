import { resolve } from 'node:path'
import { expandHome } from '../kernel/index.js'
import type { Setting } from './setting.js'

/**
 * Makes a path absolute: a leading `~` is the home directory, other paths are relative to the working directory. URLs,
 * special words of the setting (`off`) and paths relative to the state folder stay as they are.
 */
export function placePath(entry: Setting, value: unknown): unknown {
  if (entry.kind !== 'path' || typeof value !== 'string') return value
  if (entry.words?.includes(value) || /^[a-z][a-z\d+.-]*:\/\//i.test(value)) return value
  const path = expandHome(value)
  return entry.withinState ? path : resolve(path)
}
