import { messageOf, TargonError, withDeadline } from '../kernel/index.js'
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

/**
 * The same for a command that cannot do without it.
 *
 * @param flag what the user may omit instead
 * @throws TargonError ENGINE_UNAVAILABLE (upstream); the reason of the signal when it aborts. The engine is closed then.
 */
export async function openReadyEngine(
  options: EngineOptions,
  flag: string,
  signal: AbortSignal,
): Promise<ConnectedEngine> {
  const { engine, unreadyReason } = await openEngine(options, signal)
  if (unreadyReason === undefined) return engine
  await engine.close()
  throw new TargonError(
    `The reference engine for ${options.model} is not ready: ${unreadyReason.replace(/\.$/, '')}.`,
    {
      code: 'ENGINE_UNAVAILABLE',
      fault: 'upstream',
      next: `Check ${options.urls.join(', ')}, or omit ${flag}.`,
    },
  )
}
