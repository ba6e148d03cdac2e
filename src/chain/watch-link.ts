import { z } from 'zod'
import { type Clock, createDeferred, messageOf } from '../kernel/index.js'
import { type Link, readHeader } from './link.js'
import type { BlockHead } from './types.js'

/** What became of a head: `new` is higher than any before, `rejected` is higher than the elapsed time allows. */
export type Published = 'new' | 'known' | 'rejected'

export const HEAD_TOO_FAR = 'its block number is too far ahead'
/** Prefix of the reason when the chain itself changed, not the endpoint. */
export const RUNTIME_UPGRADE = 'runtime upgrade'

export interface LinkWatchOptions {
  readonly clock: Clock
  /** Ends the watch, and the link with it. */
  readonly signal: AbortSignal
  /** Longest time without a new head. */
  readonly headTimeoutMs: number
  readonly publish: (head: BlockHead) => Published
  /** Called once, before the connection closes and everything waiting on it fails. */
  readonly onEnd: () => void
}

export interface LinkWatch {
  /** Resolves with the reason to replace the link; never rejects. */
  readonly done: Promise<string>
  /** Gives the link up; only the first reason counts. */
  end(reason: string): void
}

const versionSchema = z.object({ specVersion: z.number() })

/** Follows the heads of a link until it closes, falls silent, shows an impossible head or changes its runtime. */
export function watchLink({ rpc, runtime }: Link, options: LinkWatchOptions): LinkWatch {
  const { clock, signal, headTimeoutMs } = options
  const ended = new AbortController()
  const done = createDeferred<string>()
  const end = (reason: string) => {
    if (ended.signal.aborted) return
    ended.abort()
    options.onEnd()
    rpc.close()
    done.resolve(reason)
  }
  signal.addEventListener('abort', () => end('closed'), { once: true, signal: ended.signal })
  rpc.closed.then(end, end)

  let freshAt = clock.monotonic()
  const onHeader = (header: unknown) => {
    try {
      const published = options.publish(readHeader(runtime, header))
      if (published === 'new') freshAt = clock.monotonic()
      if (published === 'rejected') end(HEAD_TOO_FAR)
    } catch (error) {
      end(`invalid block header: ${messageOf(error)}`)
    }
  }
  const onVersion = (version: unknown) => {
    const parsed = versionSchema.safeParse(version)
    if (!parsed.success || parsed.data.specVersion === runtime.specVersion) return
    end(`${RUNTIME_UPGRADE} to ${parsed.data.specVersion}`)
  }
  Promise.all([
    rpc.subscribe('chain_subscribeNewHead', [], 'chain_unsubscribeNewHead', onHeader),
    rpc.subscribe('state_subscribeRuntimeVersion', [], 'state_unsubscribeRuntimeVersion', onVersion),
  ]).catch((error: unknown) => end(messageOf(error)))

  const watchAge = async () => {
    for (;;) {
      const leftMs = freshAt + headTimeoutMs - clock.monotonic()
      if (leftMs <= 0) return end(`no new head for ${headTimeoutMs} ms`)
      await clock.sleep(leftMs, AbortSignal.any([ended.signal, signal]))
    }
  }
  watchAge().catch(() => {})
  return { done: done.promise, end }
}
