import type { Clock } from '../kernel/index.js'
import type { Layout } from './layout.js'

/** What an update works with. Nothing here reads the environment or `process`. */
export interface UpdateContext {
  readonly layout: Layout
  /** Address of the release repository, anything git can fetch. */
  readonly url: string
  /** File of pinned signers that was named; undefined takes that of the current release (signers.ts). */
  readonly signersFile: string | undefined
  /** File of pinned signers of the tree this process runs from, which counts while no release is installed. */
  readonly ownSignersFile: string
  /** Version of this process, which counts while no release is installed. */
  readonly ownVersion: string
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
  /** Longest time git may take for one step, ms; a source that dribbles is cut off. Default: a minute. */
  readonly gitTimeoutMs?: number
  readonly onProgress: (step: string) => void
}
