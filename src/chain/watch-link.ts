import { z } from 'zod'
import { type Clock, messageOf } from '../kernel/index.js'
import { type Link, readHeader } from './link.js'
import type { BlockHead } from './types.js'

/** What became of a head: `news` is higher than any before, `refused` is higher than time allows. */
export type Published = 'news' | 'known' | 'refused'

export const JUMPED = 'its head jumped further than time allows'
/** How the reason begins when the chain itself changed, not the endpoint. */
export const RUNTIME_UPGRADE = 'runtime upgrade'

export interface LinkWatchOptions {
  readonly clock: Clock
  /** Ends the watch, and the link with it. */
  readonly signal: AbortSignal
  /** Longest time without a new head. */
  readonly headTimeoutMs: number
  readonly publish: (head: BlockHead) => Published
  /** Called once, before the connection closes and everything that waits on it fails. */
  readonly onEnd: () => void
}

export interface LinkWatch {
  /** Resolves with why the link must be replaced; never rejects. */
  readonly done: Promise<string>
  /** Gives it up; only the first reason counts. */
  end(reason: string): void
}

const versionSchema = z.object({ specVersion: z.number() })

/** Follows the heads of a link until it closes, falls silent, shows what cannot be, or its runtime is another one. */
export function watchLink(link: Link, options: LinkWatchOptions): LinkWatch {
  const { rpc, runtime } = link
  const { clock, signal, headTimeoutMs } = options
  const over = new AbortController()
  let resolve: (reason: string) => void = () => {}
  const done = new Promise<string>((settle) => {
    resolve = settle
  })
  const end = (reason: string) => {
    if (over.signal.aborted) return
    over.abort()
    options.onEnd()
    rpc.close()
    resolve(reason)
  }
  signal.addEventListener('abort', () => end('closed'), { once: true, signal: over.signal })
  rpc.closed.then(end, end)

  let freshAt = clock.monotonic()
  const onHeader = (header: unknown) => {
    try {
      const published = options.publish(readHeader(runtime, header))
      if (published === 'news') freshAt = clock.monotonic()
      if (published === 'refused') end(JUMPED)
    } catch (error) {
      end(`a head cannot be read: ${messageOf(error)}`)
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
      await clock.sleep(leftMs, AbortSignal.any([over.signal, signal]))
    }
  }
  watchAge().catch(() => {})
  return { done, end }
}
