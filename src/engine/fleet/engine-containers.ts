import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../../kernel/index.js'
import {
  type ContainerOptions,
  containerName,
  containerSpecification,
  LABEL,
  specificationDigest,
} from './container.js'
import type { Container, DockerClient } from './docker-client.js'
import type { Placement } from './plan.js'

export interface EngineContainersOptions extends ContainerOptions {
  readonly docker: DockerClient
  readonly stateDir: string
  readonly log: Log
}

/** The containers of one validator: lists, starts and removes them. Those of others are never touched. */
export class EngineContainers {
  readonly #removals = new Map<string, Promise<void>>()

  constructor(private readonly options: EngineContainersOptions) {}

  /** Running and dead ones. @throws TargonError DOCKER */
  async list(signal: AbortSignal): Promise<Container[]> {
    const { docker, owner } = this.options
    return await docker.list(`${LABEL.owner}=${owner}`, signal)
  }

  /** Leaves nothing behind when the container does not start. @throws TargonError DOCKER */
  async start(placement: Placement, signal: AbortSignal): Promise<Container> {
    const { docker, owner, log } = this.options
    const { model, gpuIds } = placement
    const name = containerName(owner, model)
    const id = await docker.create(name, containerSpecification(this.options, model, gpuIds), signal)
    try {
      await docker.start(id, signal)
    } catch (error) {
      await docker.remove(id, signal).catch((err: unknown) => {
        if (!signal.aborted)
          log.warn(
            { event: 'engine-container-left', model, name, err },
            'could not remove a container that did not start',
          )
      })
      throw error
    }
    log.info({ event: 'engine-container-started', model, gpus: gpuIds, name }, 'started an engine container')
    return { id, name, running: true, labels: { [LABEL.model]: model, [LABEL.gpus]: gpuIds.join(',') } }
  }

  /** Removes a container and keeps its log in `engine-logs` of the state folder. @throws TargonError DOCKER */
  remove(container: Container, why: string, signal: AbortSignal): Promise<void> {
    const { id } = container
    const removal =
      this.#removals.get(id) ??
      this.#remove(container, why, signal).finally(() => {
        this.#removals.delete(id)
      })
    this.#removals.set(id, removal)
    return removal
  }

  /** True when image, arguments and cache are those with which the container would be started now. */
  isCurrent(container: Container): boolean {
    const { model, gpuIds } = placementOf(container)
    return container.labels[LABEL.specification] === specificationDigest(this.options, model, gpuIds)
  }

  async #remove(container: Container, why: string, signal: AbortSignal): Promise<void> {
    const { docker, stateDir, log } = this.options
    const { model } = placementOf(container)
    try {
      const folder = join(stateDir, 'engine-logs')
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const text = await docker.logs(container.id, signal)
      await writeFile(join(folder, `${container.name}.log`), text, { mode: 0o600 })
    } catch (error) {
      log.warn(
        { event: 'engine-log-lost', model, err: error },
        'could not keep the log of an engine container',
      )
    }
    await docker.remove(container.id, signal)
    log.info({ event: 'engine-container-removed', model, why }, 'removed an engine container')
  }
}

export function placementOf({ labels, name }: Container): Placement {
  const gpuIds = (labels[LABEL.gpus] ?? '').split(',').filter((id) => id !== '')
  return { model: labels[LABEL.model] ?? name, gpuIds: gpuIds.map(Number) }
}
