import { join } from 'node:path'
import { type Clock, type Log, messageOf, TargonError } from '../../kernel/index.js'
import type { EngineEndpoint } from '../endpoints.js'
import type { HubSource } from '../hub-files.js'
import { Semaphore } from '../semaphore.js'
import { type ContainerOptions, LABEL } from './container.js'
import type { Container, DockerClient } from './docker-client.js'
import { EngineContainers, placementOf } from './engine-containers.js'
import { EngineReplacements } from './engine-replacements.js'
import { EngineWatches } from './engine-watches.js'
import type { Gpu } from './gpu.js'
import type { OnEngineProgress } from './health.js'
import { HealthyRuns } from './healthy-runs.js'
import type { RegistryLogin } from './image-pull.js'
import { ModelSizes } from './model-size.js'
import { type FleetPlan, type Placement, planFleet, type UnplacedModel } from './plan.js'

/**
 * Why the fleet is looked after. `start`: of the validator. `epoch`: models are placed anew, in a new random order as in 4.4.1,
 * so that each gets its turn when not all fit. `revival`: an engine is missing; the others keep their GPUs, and a local image
 * is not pulled again.
 */
export type RefreshReason = 'start' | 'epoch' | 'revival'

export interface FleetOptions extends ContainerOptions, Omit<HubSource, 'cacheDir'> {
  readonly docker: DockerClient
  readonly registryLogin?: RegistryLogin | undefined
  /** The current state of this host's GPUs. */
  readonly readGpus: (signal: AbortSignal) => Promise<readonly Gpu[]>
  readonly shuffle: (models: readonly string[]) => readonly string[]
  readonly stateDir: string
  readonly clock: Clock
  readonly log: Log
  readonly onProgress?: OnEngineProgress | undefined
  /** The healthy engines (`running`) are others than before. */
  readonly onChange?: () => void
  /** How long a starting engine may show no progress. Default: 10 min. */
  readonly stallMs?: number
  /** How long an engine that has been healthy may fail to respond. Default: 1 min. */
  readonly silenceMs?: number
}

/** Why a model has no engine, and what the operator can do. */
export type Absence = Pick<UnplacedModel, 'reason' | 'next'>

/** A validator's engines as containers on this host. An error of one model never stops another. */
export class Fleet {
  readonly #containers: EngineContainers
  readonly #watches: EngineWatches
  readonly #replacements: EngineReplacements
  /** One reconciliation or replacement at a time, so that each sees what the other has done. */
  readonly #turn = new Semaphore(1)
  readonly #sizes: ModelSizes
  /** Models that could not be placed or started. */
  #refusals: ReadonlyMap<string, Absence> = new Map()
  /** Models whose container was given up, until the next one is started. */
  readonly #givenUp = new Map<string, Absence>()
  /** Why the last reconciliation ended early. */
  #failure: Absence | undefined

  constructor(private readonly options: FleetOptions) {
    const { stateDir, log, onChange = () => {} } = options
    this.#containers = new EngineContainers(options)
    this.#sizes = new ModelSizes(options)
    this.#watches = new EngineWatches({
      ...options,
      runs: new HealthyRuns(join(stateDir, 'engines.json'), log),
      onChange,
      onFailure: (container, error, signal) => this.#giveUp(container, error, signal),
    })
    const replace = (container: Container, signal: AbortSignal) => this.#replace(container, signal)
    this.#replacements = new EngineReplacements({ replace, log })
  }

  /** The healthy engines. */
  get running(): readonly EngineEndpoint[] {
    return this.#watches.running
  }

  /** Why a model is not among the running ones. */
  explain(model: string): Absence {
    const status = this.#watches.starting(model)
    if (status !== undefined)
      return { reason: `its engine is starting${status === '' ? '' : `; its last log line: ${status}`}` }
    const known = this.#refusals.get(model) ?? this.#givenUp.get(model) ?? this.#failure
    return known ?? { reason: 'its engine has not been started yet' }
  }

  /**
   * Makes the containers serve these models. Containers that match the plan, and containers of others, are not touched.
   * Resolves when the missing containers have been started; each joins `running` when it is healthy. Containers whose image or
   * options changed are replaced afterwards, one after the other.
   *
   * @throws TargonError DOCKER when the containers cannot be listed
   */
  async reconcile(models: readonly string[], why: RefreshReason, signal: AbortSignal): Promise<void> {
    try {
      await this.#turn.run(signal, () => this.#reconcile([...new Set(models)], why, signal))
      this.#failure = undefined
    } catch (error) {
      if (!signal.aborted) this.#failure = absenceOf(error)
      throw error
    }
  }

  /** Resolves when no engine is starting or being replaced. */
  async settled(): Promise<void> {
    await this.#replacements.settled()
    await this.#watches.settled()
  }

  /** The containers keep running. */
  async close(): Promise<void> {
    const replaced = this.#replacements.close()
    await this.#watches.close()
    await replaced
  }

  async #reconcile(models: readonly string[], why: RefreshReason, signal: AbortSignal): Promise<void> {
    for (const model of this.#givenUp.keys()) if (!models.includes(model)) this.#givenUp.delete(model)
    const ours = await this.#containers.list(signal)
    const running = ours.filter((container) => container.running)
    // Used at once: reading sizes and pulling an image may take long.
    for (const container of running)
      if (models.includes(placementOf(container).model)) this.#watches.watch(container)
    const plan = await this.#plan(models, why, running, signal)
    const refusals = new Map<string, Absence>(plan.unplaced.map(({ model, ...absence }) => [model, absence]))
    const planned = running.filter((one) => plan.placements.some((placement) => holds(one, placement)))
    const outdated = planned.filter((container) => !this.#containers.isCurrent(container))
    const missing = plan.placements.filter((placement) => !planned.some((one) => holds(one, placement)))
    const needsImage = missing.length > 0 || outdated.length > 0
    const obstacle = needsImage ? await this.#prepareImage(why, signal) : undefined
    // Without the image nothing can be started, so what runs is better than nothing.
    const kept = obstacle ? running : planned
    await Promise.all(
      ours
        .filter((one) => !kept.includes(one))
        .map((one) => this.#retire(one, one.running ? 'not planned' : 'dead', signal)),
    )
    await Promise.all(
      missing.map(async (placement) => {
        const { model } = placement
        const absence = obstacle ?? (await this.#start(placement, signal))
        if (absence && !kept.some((container) => placementOf(container).model === model))
          refusals.set(model, absence)
      }),
    )
    this.#note(refusals)
    const isHealthy = (model: string) => this.running.some((engine) => engine.model === model)
    this.#replacements.request(
      obstacle ? [] : outdated,
      (model) => models.includes(model) && !isHealthy(model),
    )
  }

  async #replace(container: Container, signal: AbortSignal): Promise<boolean> {
    const placement = placementOf(container)
    const absence = await this.#turn.run(signal, async () => {
      await this.#retire(container, 'replaced', signal)
      return await this.#start(placement, signal)
    })
    if (absence === undefined) return await this.#watches.becomesHealthy(placement.model)
    this.#givenUp.set(placement.model, absence)
    return false
  }

  async #plan(
    models: readonly string[],
    why: RefreshReason,
    running: readonly Container[],
    signal: AbortSignal,
  ): Promise<FleetPlan> {
    const placed = running.map(placementOf)
    const isPlaced = (model: string) => placed.some((placement) => placement.model === model)
    const shuffled = this.options.shuffle(models)
    const order =
      why === 'epoch'
        ? shuffled
        : [...shuffled.filter(isPlaced), ...shuffled.filter((model) => !isPlaced(model))]
    const [sizes, gpus] = await Promise.all([
      this.#sizes.read(order, signal),
      this.options.readGpus(signal).catch((error: unknown) => {
        signal.throwIfAborted()
        return absenceOf(error)
      }),
    ])
    if (!('reason' in gpus)) return planFleet(order, sizes, gpus, placed)
    // What runs keeps running; nothing else can be placed.
    const plan = planFleet(order, sizes, [], placed)
    return { ...plan, unplaced: plan.unplaced.map(({ model }) => ({ model, ...gpus })) }
  }

  /** @returns why no container can be started, undefined when the image is there. */
  async #prepareImage(why: RefreshReason, signal: AbortSignal): Promise<Absence | undefined> {
    const { docker, image, registryLogin, log, onProgress } = this.options
    const isLocal = () => docker.hasImage(image, signal)
    try {
      if (why === 'revival' && (await isLocal())) return undefined
      await docker.pull(image, registryLogin, signal, ({ status, percent }) =>
        onProgress?.(image, status, percent),
      )
      return undefined
    } catch (error) {
      signal.throwIfAborted()
      if (!(await isLocal().catch(() => false))) {
        signal.throwIfAborted()
        log.error(
          { event: 'image-missing', image, err: error },
          'could not pull the image of the engines; those that run keep running',
        )
        return absenceOf(error)
      }
      log.warn(
        { event: 'image-pull-failed', image, err: error },
        'could not pull the image; using the local copy',
      )
      return undefined
    }
  }

  async #start(placement: Placement, signal: AbortSignal): Promise<Absence | undefined> {
    try {
      this.#watches.watch(await this.#containers.start(placement, signal))
      this.#givenUp.delete(placement.model)
      return undefined
    } catch (error) {
      signal.throwIfAborted()
      this.#logFailure(placement.model, error)
      return absenceOf(error)
    }
  }

  /** Removes a container. One that cannot be removed does not stop the others. */
  async #retire(container: Container, why: string, signal: AbortSignal): Promise<void> {
    this.#watches.drop(container)
    const { model } = placementOf(container)
    try {
      await this.#containers.remove(container, why, signal)
    } catch (error) {
      signal.throwIfAborted()
      this.options.log.warn(
        { event: 'engine-container-kept', model, err: error },
        'could not remove an engine container',
      )
    }
  }

  async #giveUp(container: Container, error: unknown, signal: AbortSignal): Promise<void> {
    const { model } = placementOf(container)
    this.#logFailure(model, error)
    this.#givenUp.set(model, absenceOf(error))
    // The next reconciliation removes it when this fails.
    await this.#containers.remove(container, 'not healthy', signal).catch(() => undefined)
  }

  #logFailure(model: string, error: unknown): void {
    this.options.log.error(
      { event: 'engine-start-failed', model, err: error },
      'an engine container does not work; it is started again later',
    )
  }

  /** Logs what is new: an engine that is missing is looked after often, and the numbers in a reason vary. */
  #note(refusals: ReadonlyMap<string, Absence>): void {
    for (const [model, { reason, next }] of refusals) {
      const known = this.#refusals.get(model)
      if (known === undefined || known.next !== next)
        this.options.log.warn(
          { event: 'model-without-engine', model, reason, next },
          'no engine can serve this model',
        )
    }
    this.#refusals = refusals
  }
}

function holds({ labels }: Container, { model, gpuIds }: Placement): boolean {
  return model === labels[LABEL.model] && gpuIds.join(',') === labels[LABEL.gpus]
}

function absenceOf(error: unknown): Absence {
  return { reason: messageOf(error), next: error instanceof TargonError ? error.next : undefined }
}
