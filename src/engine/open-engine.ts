import { messageOf, withDeadline } from '../kernel/index.js'
import { type ConnectedEngine, connectEngine, type EngineOptions } from './connect-engine.js'

const READY_MS = 30_000

/** An engine that is ready, or why it is not. The caller closes it. */
export interface OpenedEngine {
  readonly engine: ConnectedEngine
  readonly unreadyReason: string | undefined
}

/**
 * Connects to the servers of a model and waits until one is ready, for a command that needs it once.
 *
 * @param readyMs default: 30 s
 * @throws the reason of the signal when it aborts; then the engine is closed
 */
export async function openEngine(
  options: EngineOptions,
  signal: AbortSignal,
  readyMs = READY_MS,
): Promise<OpenedEngine> {
  const engine = connectEngine(options)
  try {
    await withDeadline(options.clock, `the start of ${options.model}`, readyMs, signal, (own) =>
      engine.whenReady(own),
    )
    return { engine, unreadyReason: undefined }
  } catch (error) {
    if (signal.aborted) {
      await engine.close()
      throw signal.reason
    }
    return { engine, unreadyReason: engine.unreadyReason ?? messageOf(error) }
  }
}
