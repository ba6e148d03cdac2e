import type { Clock } from '../kernel/index.js'
import type { Layout } from './layout.js'

/** Everything an update needs. Nothing in this folder reads the environment or `process`. */
export interface UpdateContext {
  readonly layout: Layout
  /** Release repository: any URL or path git can fetch. */
  readonly url: string
  /** The pinned-signers file that was configured; undefined uses the one in the current release (signers.ts). */
  readonly signersFile: string | undefined
  /** The pinned-signers file of the tree this process runs from; used until a release is installed. */
  readonly bundledSignersFile: string
  /** The folder that this process runs from; undefined when that is a release in the root. */
  readonly checkout: string | undefined
  /** Version of this process; counts as the installed version until a release is installed. */
  readonly runningVersion: string
  /** Node version, e.g. `20.19.0`. */
  readonly nodeVersion: string
  /** Path of the Node binary that runs the self-test. */
  readonly nodePath: string
  /** `stable` accepts X.Y.Z only, `next` also pre-releases. */
  readonly channel: 'stable' | 'next'
  /** Environment of child processes. */
  readonly env: Readonly<Record<string, string>>
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Maximum download per release in bytes; the transfer is aborted beyond it. Default: 200 MiB. */
  readonly maxFetchBytes?: number
  /** Timeout of a single git command in ms, which also ends slow-drip transfers. Default: one minute. */
  readonly gitTimeoutMs?: number
  readonly onProgress: (step: string) => void
}
