import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, type Log, messageOf } from '../../kernel/index.js'
import type { EngineEndpoint } from '../endpoints.js'
import type { HubSource } from '../hub-files.js'
import {
  type ContainerOptions,
  containerName,
  containerSpecification,
  ENGINE_PORT,
  LABEL,
  specificationDigest,
} from './container.js'
import type { Container, DockerClient } from './docker-client.js'
import type { Gpu } from './gpu.js'
import { awaitHealthy, type OnEngineProgress } from './health.js'
import { readModelSizeMib } from './model-size.js'
import { type ModelSize, type Placement, planFleet, type UnplacedModel } from './plan.js'

export interface FleetOptions extends ContainerOptions, HubSource {
  readonly docker: DockerClient
  /** The current state of this host's GPUs. */
  readonly readGpus: (signal: AbortSignal) => Promise<readonly Gpu[]>
  /** Order in which models are placed: random in each epoch, as in 4.4.1. */
  readonly shuffle: (models: readonly string[]) => readonly string[]
  readonly stateDir: string
  readonly clock: Clock
  readonly log: Log
  readonly onProgress?: OnEngineProgress | undefined
  /** How long a starting engine may show no progress. Default: 10 min. */
  readonly stallMs?: number
}

export interface FleetState {
  readonly running: readonly EngineEndpoint[]
  readonly unplaced: readonly UnplacedModel[]
}

/** A validator's engines as containers on this host. An error of one model never stops another. */
export class Fleet {
  constructor(private readonly options: FleetOptions) {}

  /** Makes the containers serve these models. Containers that match the plan, and containers of others, are not touched. */
  async reconcile(models: readonly string[], signal: AbortSignal): Promise<FleetState> {
    const { docker, owner, shuffle, readGpus, log } = this.options
    const ours = await docker.list(`${LABEL.owner}=${owner}`, signal)
    const order = shuffle([...new Set(models)])
    const running = ours.filter((container) => container.running && this.#isCurrent(container))
    const [sizes, gpus] = await Promise.all([this.#readSizes(order, signal), readGpus(signal)])
    const plan = planFleet(order, sizes, gpus, running.map(placementOf))
    const unplaced = [...plan.unplaced]
    for (const { model, reason } of unplaced)
      log.warn({ event: 'model-without-engine', model, reason }, 'no engine can serve this model')

    const kept = running.filter((container) =>
      plan.placements.some((placement) => holds(container, placement)),
    )
    for (const container of ours.filter((one) => !kept.includes(one))) {
      await this.#remove(container, container.running ? 'not planned' : 'dead', signal)
    }
    const missing = plan.placements.filter(
      ({ model }) => !kept.some((container) => container.labels[LABEL.model] === model),
    )
    if (missing.length > 0) await this.#pullImage(signal)

    const endpoints = await Promise.all([
      ...kept.map((container) => {
        const model = container.labels[LABEL.model] ?? ''
        return this.#bringUp(model, async () => container, unplaced, signal)
      }),
      ...missing.map((placement) =>
        this.#bringUp(placement.model, () => this.#start(placement, signal), unplaced, signal),
      ),
    ])
    return { running: endpoints.flat(), unplaced }
  }

  /** Waits until the container of a model is healthy. Otherwise removes it and adds the model to `unplaced`. */
  async #bringUp(
    model: string,
    start: () => Promise<Container>,
    unplaced: UnplacedModel[],
    signal: AbortSignal,
  ): Promise<EngineEndpoint[]> {
    let container: Container | undefined
    try {
      container = await start()
      return [{ model, urls: [await awaitHealthy(this.options, model, container.id, ENGINE_PORT, signal)] }]
    } catch (error) {
      signal.throwIfAborted()
      unplaced.push({ model, reason: messageOf(error) })
      this.options.log.error(
        { event: 'engine-start-failed', model, err: error },
        'engine container did not start',
      )
      if (container) await this.#remove(container, 'did not start', signal).catch(() => undefined)
      return []
    }
  }

  async #start(placement: Placement, signal: AbortSignal): Promise<Container> {
    const { docker, owner, log } = this.options
    const { model, gpuIds } = placement
    const name = containerName(owner, model)
    const id = await docker.create(name, containerSpecification(this.options, model, gpuIds), signal)
    await docker.start(id, signal)
    log.info({ event: 'engine-container-started', model, gpus: gpuIds, name }, 'started an engine container')
    return { id, name, running: true, labels: { [LABEL.model]: model } }
  }

  /** Removes a container and keeps its log in `engine-logs` of the state folder. */
  async #remove(container: Container, why: string, signal: AbortSignal): Promise<void> {
    const { docker, stateDir, log } = this.options
    const model = container.labels[LABEL.model] ?? container.name
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

  /** True when image, arguments and cache are those with which the container would be started now. */
  #isCurrent(container: Container): boolean {
    const { model, gpuIds } = placementOf(container)
    return container.labels[LABEL.specification] === specificationDigest(this.options, model, gpuIds)
  }

  async #readSizes(models: readonly string[], signal: AbortSignal): Promise<Map<string, ModelSize>> {
    const sizes = await Promise.all(
      models.map(async (model): Promise<[string, ModelSize]> => {
        try {
          return [model, await readModelSizeMib(this.options, model, signal)]
        } catch (error) {
          signal.throwIfAborted()
          return [model, { unknown: messageOf(error) }]
        }
      }),
    )
    return new Map(sizes)
  }

  /** If the registry is unreachable, a local image is good enough. */
  async #pullImage(signal: AbortSignal): Promise<void> {
    const { docker, image, log, onProgress } = this.options
    try {
      await docker.pull(image, undefined, signal, ({ status, percent }) =>
        onProgress?.(image, status, percent),
      )
    } catch (error) {
      if (!(await docker.hasImage(image, signal))) throw error
      log.warn(
        { event: 'image-pull-failed', image, err: error },
        'could not pull the image; using the local copy',
      )
    }
  }
}

function placementOf({ labels }: Container): Placement {
  const gpuIds = (labels[LABEL.gpus] ?? '').split(',').filter((id) => id !== '')
  return { model: labels[LABEL.model] ?? '', gpuIds: gpuIds.map(Number) }
}

function holds({ labels }: Container, { model, gpuIds }: Placement): boolean {
  return model === labels[LABEL.model] && gpuIds.join(',') === labels[LABEL.gpus]
}
