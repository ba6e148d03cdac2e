import type { EngineEndpoint } from '../endpoints.js'
import { ENGINE_PORT } from './container.js'
import type { Container } from './docker-client.js'
import { placementOf } from './engine-containers.js'
import { awaitHealthy, type HealthOptions } from './health.js'

interface Watch {
  readonly container: Container
  readonly ending: AbortController
  /** Set while it is being waited for; resolves when it is healthy or given up. */
  waiting: Promise<void> | undefined
  /** Base URL of its server, once it was healthy. */
  url: string | undefined
  /** The last line of its log while it starts. */
  status: string
}

export interface EngineWatchesOptions extends HealthOptions {
  /** The healthy engines are others than before. */
  readonly onChange: () => void
  /** A container is given up: it exited, stalled or fell silent. Not watched any more when this is called. */
  readonly onFailure: (container: Container, error: unknown, signal: AbortSignal) => Promise<void>
}

/** Watches each container for itself, so that an engine is used when it is healthy, whatever the others do. */
export class EngineWatches {
  readonly #watches = new Map<string, Watch>()
  readonly #waiting = new Set<Promise<void>>()
  readonly #closing = new AbortController()

  constructor(private readonly options: EngineWatchesOptions) {}

  /** Engines that have been healthy, by their address. One that is being checked again stays in use meanwhile. */
  get running(): EngineEndpoint[] {
    return [...this.#watches.values()].flatMap(({ container, url }) =>
      url === undefined ? [] : [{ model: placementOf(container).model, urls: [url] }],
    )
  }

  /** The last log line of the model's engine while it starts; undefined when none does. */
  starting(model: string): string | undefined {
    const watch = this.#watchOf(model)
    return watch?.url === undefined ? watch?.status : undefined
  }

  /** Resolves with whether the model has a healthy engine, once it is not being waited for. */
  async becomesHealthy(model: string): Promise<boolean> {
    await this.#watchOf(model)?.waiting
    return this.#watchOf(model)?.url !== undefined
  }

  /** Waits in the background until the container is healthy; one that has been is checked again. */
  watch(container: Container): void {
    if (this.#closing.signal.aborted) return
    const known = this.#watches.get(container.id)
    if (known?.waiting !== undefined) return
    const watch = known ?? {
      container,
      ending: new AbortController(),
      url: undefined,
      status: '',
      waiting: undefined,
    }
    this.#watches.set(container.id, watch)
    const waiting = this.#wait(watch).finally(() => {
      watch.waiting = undefined
      this.#waiting.delete(waiting)
    })
    watch.waiting = waiting
    this.#waiting.add(waiting)
  }

  /** Its engine is no longer used. */
  drop({ id }: Container): void {
    const watch = this.#watches.get(id)
    if (!watch) return
    this.#watches.delete(id)
    watch.ending.abort()
    if (watch.url !== undefined) this.options.onChange()
  }

  /** Resolves when no container is being waited for. */
  async settled(): Promise<void> {
    while (this.#waiting.size > 0) await Promise.all(this.#waiting)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    for (const { ending } of this.#watches.values()) ending.abort()
    await this.settled()
  }

  #watchOf(model: string): Watch | undefined {
    return [...this.#watches.values()].find(({ container }) => placementOf(container).model === model)
  }

  async #wait(watch: Watch): Promise<void> {
    const { onChange, onFailure, onProgress } = this.options
    const { container, ending } = watch
    const { model } = placementOf(container)
    const tracked: HealthOptions = {
      ...this.options,
      onProgress: (task, status, percent) => {
        watch.status = status
        if (watch.url === undefined) onProgress?.(task, status, percent)
      },
    }
    try {
      const watched = { model, id: container.id, port: ENGINE_PORT, url: watch.url }
      const url = await awaitHealthy(tracked, watched, ending.signal)
      if (ending.signal.aborted || watch.url === url) return
      watch.url = url
      onChange()
    } catch (error) {
      if (ending.signal.aborted) return
      this.drop(container)
      await onFailure(container, error, this.#closing.signal)
    }
  }
}
