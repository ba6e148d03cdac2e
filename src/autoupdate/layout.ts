import { join } from 'node:path'

/**
 * Paths below the update root:
 * `<root>/{repo.git, releases/X.Y.Z/ (+COMPLETE), current -> releases/X.Y.Z, update.json, launcher.mjs}`.
 */
export interface Layout {
  readonly root: string
  readonly repository: string
  readonly releases: string
  /** Symbolic link to the release that the next start runs. */
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

/** Marks a slot as complete; written last, just before the slot gets its final name. */
export const COMPLETE_MARK = 'COMPLETE'
