import { join } from 'node:path'
import { type Log, parseJson, readIfExists, replaceFile, TargonError } from '../kernel/index.js'
import { fetchModelList, parseModelList } from './model-endpoint.js'
import { defaultModelFile, readModelFile } from './model-file.js'

/** The model of mode `default`, as documented in the README of 4.x. */
export const DEFAULT_MODEL = 'NousResearch/Meta-Llama-3.1-8B-Instruct'

export interface ModelListOptions {
  readonly mode: 'default' | 'config' | 'endpoint'
  /** For mode `config`; undefined uses models.txt in the working directory, or else the bundled one. */
  readonly file: string | undefined
  /** URL for mode `endpoint`, or `off`. */
  readonly endpoint: string
  readonly stateDir: string
  readonly log: Log
}

/** The models the validator verifies. */
export interface ModelList {
  /** Empty before the first refresh, except in mode `default`. */
  current(): readonly string[]
  /**
   * Reads the list again. A failed refresh keeps the last good list and logs the error; without one it throws
   * TargonError MODELS_FILE or MODELS_ENDPOINT.
   */
  refresh(signal: AbortSignal): Promise<void>
}

export function createModelList(options: ModelListOptions): ModelList {
  const { mode, log, stateDir } = options

  let models: readonly string[] = mode === 'default' ? [DEFAULT_MODEL] : []

  const fetchList = async (signal: AbortSignal): Promise<readonly string[]> => {
    if (options.endpoint === 'off') throw endpointOff()
    const names = await fetchModelList(options.endpoint, signal)
    await saveModelList(stateDir, names).catch((error: unknown) => {
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
        const known = models.length > 0 || mode === 'config' ? models : await readSavedList(stateDir)
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

/**
 * Reads the list once and keeps nothing.
 *
 * @throws TargonError MODELS_FILE or MODELS_ENDPOINT
 */
export async function readWantedModels(
  { mode, file, endpoint }: Pick<ModelListOptions, 'mode' | 'file' | 'endpoint'>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (mode === 'default') return [DEFAULT_MODEL]
  if (mode === 'config') return await readModelFile(file ?? defaultModelFile())
  if (endpoint === 'off') throw endpointOff()
  return await fetchModelList(endpoint, signal)
}

/** Keeps the last list of the endpoint, so that a restart during an outage changes nothing. */
export async function saveModelList(stateDir: string, names: readonly string[]): Promise<void> {
  await replaceFile(savedListIn(stateDir), JSON.stringify(names))
}

/** @returns an empty list if there is none or it is unreadable. */
async function readSavedList(stateDir: string): Promise<string[]> {
  const text = await readIfExists(savedListIn(stateDir)).catch(() => undefined)
  return parseModelList(parseJson(text ?? ''))
}

function savedListIn(stateDir: string): string {
  return join(stateDir, 'models.json')
}

function endpointOff(): TargonError {
  return new TargonError('--models.mode is endpoint, but --models.endpoint is off.', {
    code: 'MODELS_ENDPOINT',
    fault: 'usage',
    next: 'Set --models.endpoint to a URL, or set --models.mode to default or config.',
  })
}
