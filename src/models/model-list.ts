import { type Log, TargonError } from '../kernel/index.js'
import { keepLastGoodList, readLastGoodList } from './last-good-list.js'
import { fetchModelList } from './model-endpoint.js'
import { defaultModelFile, readModelFile } from './model-file.js'

/** What mode `default` runs, as the README of 4.x promises. */
export const DEFAULT_MODEL = 'NousResearch/Meta-Llama-3.1-8B-Instruct'

export interface ModelListOptions {
  readonly mode: 'default' | 'config' | 'endpoint'
  /** For mode `config`; models.txt in the working directory, or else that of the package, when undefined. */
  readonly file: string | undefined
  /** Address for mode `endpoint`, or `off`. */
  readonly endpoint: string
  readonly stateDir: string
  readonly log: Log
}

/** The models the validator wants answers from. */
export interface ModelList {
  /** Empty before the first refresh. */
  current(): readonly string[]
  /**
   * Reads the list again. The first refresh throws when there is nothing to go on with
   * (TargonError MODELS_FILE, MODELS_ENDPOINT); later ones keep the last good list and log why.
   */
  refresh(signal: AbortSignal): Promise<void>
}

export function createModelList(options: ModelListOptions): ModelList {
  const { mode, log } = options
  let models: readonly string[] = mode === 'default' ? [DEFAULT_MODEL] : []

  const fetchList = async (signal: AbortSignal): Promise<readonly string[]> => {
    if (options.endpoint === 'off') throw endpointOff()
    const names = await fetchModelList(options.endpoint, signal)
    await keepLastGoodList(options.stateDir, names).catch((error: unknown) => {
      log.warn({ event: 'model-list-not-saved', err: error }, 'could not save the model list to disk')
    })
    return names
  }

  return {
    current: () => models,
    refresh: async (signal) => {
      if (mode === 'default') return
      try {
        models =
          mode === 'config'
            ? await readModelFile(options.file ?? defaultModelFile())
            : await fetchList(signal)
      } catch (error) {
        signal.throwIfAborted()
        const known =
          models.length > 0 ? models : mode === 'endpoint' ? await readLastGoodList(options.stateDir) : []
        if (known.length === 0) throw error
        models = known
        log.warn(
          { event: 'model-list-stale', err: error, models: known.length },
          'could not load the model list; keeping the last good one',
        )
      }
    },
  }
}

function endpointOff(): TargonError {
  return new TargonError('The models endpoint is off, but --models.mode is endpoint.', {
    code: 'MODELS_ENDPOINT',
    fault: 'usage',
    next: 'Give --models.endpoint an address, or take --models.mode default or config.',
  })
}
