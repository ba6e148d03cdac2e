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
import { type ModelSize, type Placement, planFleet } from './plan.js'

export interface FleetOptions extends ContainerOptions, HubSource {
  readonly docker: DockerClient
  /** Cards of this host as nvidia-smi sees them now. */
  readonly readGpus: (signal: AbortSignal) => Promise<readonly Gpu[]>
  /** Order in which models are placed: random each epoch, as in 4.4.1. */
  readonly shuffle: (models: readonly string[]) => readonly string[]
  readonly stateDir: string
  readonly clock: Clock
  readonly log: Log
  readonly onProgress?: OnEngineProgress | undefined
  /** How long an engine may show no progress while it starts; 10 min unless given. */
  readonly stallMs?: number
}

export interface FleetState {
  readonly running: readonly EngineEndpoint[]
  readonly unplaced: readonly { readonly model: string; readonly reason: string }[]
}

export interface Fleet {
  /** Makes what runs what is wanted; containers that are right are left alone, containers of others always. */
  reconcile(wanted: readonly string[], signal: AbortSignal): Promise<FleetState>
}

/** The validator's own engines as containers on this host. Faults of one model never stop another. */
export function createFleet(options: FleetOptions): Fleet {
  const { docker, log } = options

  const retire = async (container: Container, why: string, signal: AbortSignal) => {
    const model = container.labels[LABEL.model] ?? container.name
    try {
      const folder = join(options.stateDir, 'engine-logs')
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await writeFile(join(folder, `${container.name}.log`), await docker.logs(container.id, signal), {
        mode: 0o600,
      })
    } catch (error) {
      log.warn(
        { event: 'engine-log-lost', model, err: error },
        'could not keep the log of an engine container',
      )
    }
    await docker.remove(container.id, signal)
    log.info({ event: 'engine-container-removed', model, why }, 'removed an engine container')
  }

  const start = async (placement: Placement, signal: AbortSignal) => {
    const { model, gpuIds } = placement
    const name = containerName(options.owner, model)
    const id = await docker.create(name, containerSpecification(options, model, gpuIds), signal)
    await docker.start(id, signal)
    log.info({ event: 'engine-container-started', model, gpus: gpuIds, name }, 'started an engine container')
    return { id, name, running: true, labels: { [LABEL.model]: model } }
  }

  return {
    reconcile: async (wanted, signal) => {
      const ours = await docker.list(`${LABEL.owner}=${options.owner}`, signal)
      const order = options.shuffle([...new Set(wanted)])
      const running = ours.filter((container) => container.running && isCurrent(options, container))
      const [sizes, gpus] = await Promise.all([readSizes(options, order, signal), options.readGpus(signal)])
      const plan = planFleet(order, sizes, gpus, running.map(placementOf))
      const unplaced = [...plan.unplaced]
      for (const { model, reason } of unplaced)
        log.warn({ event: 'model-without-engine', model, reason }, 'no engine can serve this model')

      const kept = running.filter((container) =>
        plan.placements.some(
          ({ model, gpuIds }) =>
            model === container.labels[LABEL.model] && gpuIds.join(',') === container.labels[LABEL.gpus],
        ),
      )
      for (const container of ours.filter((one) => !kept.includes(one))) {
        await retire(container, container.running ? 'not planned' : 'dead', signal)
      }
      const missing = plan.placements.filter(
        ({ model }) => !kept.some((container) => container.labels[LABEL.model] === model),
      )
      if (missing.length > 0) await pullImage(options, signal)

      const bringUp = async (model: string, container: Container | undefined, placement?: Placement) => {
        let current = container
        try {
          if (placement) current = await start(placement, signal)
          if (!current) throw new Error('it has no container')
          return [{ model, urls: [await awaitHealthy(options, model, current.id, ENGINE_PORT, signal)] }]
        } catch (error) {
          signal.throwIfAborted()
          unplaced.push({ model, reason: messageOf(error) })
          log.error({ event: 'engine-start-failed', model, err: error }, 'engine container did not start')
          if (current) await retire(current, 'did not start', signal).catch(() => undefined)
          return []
        }
      }
      const endpoints = await Promise.all([
        ...kept.map((container) => bringUp(container.labels[LABEL.model] ?? '', container)),
        ...missing.map((placement) => bringUp(placement.model, undefined, placement)),
      ])
      return { running: endpoints.flat(), unplaced }
    },
  }
}

/** What we would start now for the same cards: image, arguments and cache are unchanged. */
function isCurrent(options: ContainerOptions, { labels }: Container): boolean {
  const { model, gpuIds } = placementOf({ labels })
  return labels[LABEL.specification] === specificationDigest(options, model, gpuIds)
}

function placementOf({ labels }: Pick<Container, 'labels'>): Placement {
  const gpuIds = (labels[LABEL.gpus] ?? '').split(',').filter((id) => id !== '')
  return { model: labels[LABEL.model] ?? '', gpuIds: gpuIds.map(Number) }
}

async function readSizes(
  options: FleetOptions,
  models: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, ModelSize>> {
  const sizes = await Promise.all(
    models.map(async (model): Promise<[string, ModelSize]> => {
      try {
        return [model, await readModelSizeMib(options, model, signal)]
      } catch (error) {
        signal.throwIfAborted()
        return [model, { unknown: messageOf(error) }]
      }
    }),
  )
  return new Map(sizes)
}

/** An image that is there already is good enough when the registry is not. */
async function pullImage(
  { docker, image, log, onProgress }: FleetOptions,
  signal: AbortSignal,
): Promise<void> {
  try {
    await docker.pull(image, signal, ({ status, percent }) => onProgress?.(image, status, percent))
  } catch (error) {
    if (!(await docker.hasImage(image, signal))) throw error
    log.warn(
      { event: 'image-pull-failed', image, err: error },
      'could not pull the image; using the local copy',
    )
  }
}
