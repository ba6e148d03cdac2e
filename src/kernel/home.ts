import { homedir } from 'node:os'

/** A path with a leading `~` as the home directory of this user; nothing else is touched. */
export function expandHome(path: string): string {
  return path.replace(/^~(?=\/|$)/, () => homedir())
}
