import { type ConnectedEngine, connectEngine } from '../../../engine/index.js'
import { messageOf, withDeadline } from '../../../kernel/index.js'
import type { CheckDeps, CheckOptions } from './types.js'

const READY_MS = 30_000

/** An engine that is ready, or why it is not. */
export interface OpenedEngine {
  readonly engine: ConnectedEngine
  readonly unreadyReason: string | undefined
}

/**
 * Connects to a vLLM as a validator does, without keeping files of the hub. The caller closes the engine.
 *
 * @throws the reason of the signal when it aborts; then the engine is closed
 */
export async function openEngine(
  model: string,
  urls: readonly string[],
  apiKey: string | undefined,
  { hub }: CheckOptions,
  { clock, log, signal, readyMs = READY_MS }: CheckDeps,
): Promise<OpenedEngine> {
  const engine = connectEngine({ model, urls, apiKey, ...hub, clock, log })
  try {
    await withDeadline(clock, `the start of ${model}`, readyMs, signal, (own) => engine.whenReady(own))
    return { engine, unreadyReason: undefined }
  } catch (error) {
    if (signal.aborted) {
      await engine.close()
      throw signal.reason
    }
    return { engine, unreadyReason: engine.unreadyReason ?? messageOf(error) }
  }
}

/** Where an upstream has vLLM's own routes. */
export function engineUrlOf(upstreamUrl: string): string {
  return upstreamUrl.replace(/\/+$/, '').replace(/\/v1$/, '')
}
