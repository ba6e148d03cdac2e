import { join } from 'node:path'

/**
 * Where releases live, side by side:
 * `<root>/{repo.git, releases/X.Y.Z/ (+COMPLETE), current -> releases/X.Y.Z, update.json, launcher.mjs}`.
 */
export interface Layout {
  readonly root: string
  readonly repository: string
  readonly releases: string
  /** Symbolic link to the release that starts next. */
  readonly current: string
  readonly state: string
  readonly launcher: string
}

export function layoutOf(root: string): Layout {
  return {
    root,
    repository: join(root, 'repo.git'),
    releases: join(root, 'releases'),
    current: join(root, 'current'),
    state: join(root, 'update.json'),
    launcher: join(root, 'launcher.mjs'),
  }
}

export function slotOf(layout: Layout, version: string): string {
  return join(layout.releases, version)
}

/** File that says a slot is complete; written last, before the slot gets its name. */
export const COMPLETE_MARK = 'COMPLETE'
