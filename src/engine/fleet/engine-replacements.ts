import type { Log } from '../../kernel/index.js'
import type { Container } from './docker-client.js'
import { placementOf } from './engine-containers.js'

export interface EngineReplacementsOptions {
  /** Puts a new container in the place of this one. @returns true when its engine is healthy, false when it is given up */
  readonly replace: (container: Container, signal: AbortSignal) => Promise<boolean>
  readonly log: Log
}

/**
 * Replaces containers whose image or options have changed, one after the other: the next only when the new engine of the
 * previous one is healthy. When one is not, the others keep their old containers, so that an image that does not work costs one
 * engine and not all.
 */
export class EngineReplacements {
  readonly #closing = new AbortController()
  #queue: readonly Container[] = []
  #working: Promise<void> | undefined
  /** The model whose new engine did not work. */
  #failed: string | undefined

  constructor(private readonly options: EngineReplacementsOptions) {}

  /**
   * @param outdated all containers that are to be replaced; those of an earlier call are forgotten
   * @param isWaitedFor whether a model is wanted and has no healthy engine
   */
  request(outdated: readonly Container[], isWaitedFor: (model: string) => boolean): void {
    if (this.#failed !== undefined && !isWaitedFor(this.#failed)) this.#failed = undefined
    this.#queue = this.#failed === undefined ? outdated : []
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined
    })
  }

  /** Resolves when nothing is being replaced. */
  async settled(): Promise<void> {
    await this.#working
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.settled()
  }

  async #work(): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      const [container] = this.#queue
      if (container === undefined) return
      this.#queue = this.#queue.slice(1)
      // Rejects only when it is closed.
      const isHealthy = await this.options.replace(container, signal).catch(() => false)
      if (isHealthy || signal.aborted) continue
      this.#failed = placementOf(container).model
      const kept = this.#queue.map((one) => placementOf(one).model)
      this.#queue = []
      this.options.log.error(
        {
          event: 'engine-replacement-stopped',
          model: this.#failed,
          kept,
          next: 'Check --engine.image, --engine.image-tag and the log of the container in the folder engine-logs of the state folder.',
        },
        'the new engine of a model does not work; the other engines keep their old image and options',
      )
    }
  }
}
