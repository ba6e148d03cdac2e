import { resolve } from 'node:path'
import { expandHome } from '../kernel/index.js'
import type { Setting } from './setting.js'

/**
 * A path as everybody uses it: a leading `~` is the home directory, anything else is relative to the working directory,
 * whichever source it came from. An address (`https://…`) and a word of the setting (`off`) stay; a path within the state keeps its base.
 */
export function placePath(entry: Setting, value: unknown): unknown {
  if (entry.kind !== 'path' || typeof value !== 'string') return value
  if (entry.words?.includes(value) || /^[a-z][a-z\d+.-]*:\/\//i.test(value)) return value
  const path = expandHome(value)
  return entry.withinState ? path : resolve(path)
}
