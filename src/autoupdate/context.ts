import type { Clock } from '../clock.js'
import type { Layout } from './layout.js'

/** What an update works with. Nothing here reads the environment or `process`. */
export interface UpdateContext {
  readonly layout: Layout
  /** Address of the release repository, anything git can fetch. */
  readonly url: string
  /** File of pinned signers (OpenSSH allowed_signers), from the tree that runs now. */
  readonly signersFile: string
  /** Version that runs now. */
  readonly currentVersion: string
  /** Version of Node, e.g. `20.19.0`. */
  readonly nodeVersion: string
  /** Path of the Node binary that runs the self-test. */
  readonly nodePath: string
  /** `stable` takes X.Y.Z only, `next` also pre-releases. */
  readonly channel: 'stable' | 'next'
  /** Environment of child processes. */
  readonly env: Readonly<Record<string, string>>
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Largest download of one release, bytes; a source that sends more is cut off. Default: 200 MiB. */
  readonly maxFetchBytes?: number
  readonly onProgress: (step: string) => void
}
