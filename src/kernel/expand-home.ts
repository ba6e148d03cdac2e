import { homedir } from 'node:os'

/** Replaces a leading `~` with the home directory of this user. */
export function expandHome(path: string): string {
  return path.replace(/^~(?=\/|$)/, () => homedir())
}
