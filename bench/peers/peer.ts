import type { Subject } from '../miner/processes.js'

/** Another program that stands between callers and a model server. */
export interface Peer {
  readonly name: string
  /** What it does with a request, for the rows: figures of programs that do different things are not the same. */
  readonly does: string
  /** Undefined when it is not installed, or does not tell. */
  version(): string | undefined
  /**
   * @returns undefined when it is not installed
   * @throws Error when it does not start
   */
  start(upstreamPort: number): Promise<Subject | undefined>
}

/** Callers send this key to all programs; those that check keys know it. */
export const BENCH_KEY = 'sk-bench-0123456789'
