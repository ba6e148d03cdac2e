import got from 'got'
import { type Clock, isDescriptorShortage, TargonError, withScopedSignal } from '../../kernel/index.js'
import type { ContainerState, DockerClient } from './docker-client.js'
import { isRefusal } from './docker-error.js'
import type { HealthyRuns } from './healthy-runs.js'

/** Progress of an image pull or of a starting engine; `percent` is undefined when it is not reported. */
export type OnEngineProgress = (task: string, status: string, percent: number | undefined) => void

export interface HealthOptions {
  readonly docker: DockerClient
  readonly clock: Clock
  readonly runs: HealthyRuns
  readonly onProgress?: OnEngineProgress | undefined
  /** How long a starting engine may show no progress. Default: 10 min. */
  readonly stallMs?: number
  /** How long an engine that has been healthy may fail to respond. Default: 1 min. */
  readonly silenceMs?: number
}

export interface WatchedContainer {
  readonly model: string
  readonly id: string
  readonly port: number
  /** Where its server was found before. */
  readonly url?: string | undefined
}

const POLL_MS = 2_000
const STALL_MS = 600_000
const SILENCE_MS = 60_000
const HEALTH_TIMEOUT_MS = 3_000
const STATUS_LENGTH = 120

/**
 * Waits until the server in a container answers /health. Downloading and loading a model may take any time, so the
 * deadline counts from the last new line in the log; a run that has been healthy has nothing to load, so there it counts from
 * the call. A daemon that does not respond is waited for, too.
 *
 * @returns the base URL of the server
 * @throws TargonError ENGINE_UNAVAILABLE when the container exits, stalls or falls silent; DOCKER when it is gone
 */
export async function awaitHealthy(
  options: HealthOptions,
  container: WatchedContainer,
  signal: AbortSignal,
): Promise<string> {
  const { clock, runs, stallMs = STALL_MS, silenceMs = SILENCE_MS } = options
  const { model, id } = container
  const beganAt = clock.monotonic()
  let last = { line: '', atMs: beganAt }
  let silentSinceMs = beganAt
  let startedAt: string | undefined
  for (;;) {
    const state = await readState(options, container, signal)
    startedAt = state?.startedAt ?? startedAt
    const url = state === undefined ? container.url : addressOf(state)
    const found = url === undefined ? 'unhealthy' : await askHealth(url, signal)
    if (url !== undefined && found === 'healthy') {
      await runs.add(id, startedAt)
      return url
    }
    if (found === 'unasked') silentSinceMs = clock.monotonic()
    const line = state === undefined ? last.line : await readLastLine(options, container, signal)
    const shown = line.slice(0, STATUS_LENGTH)
    if (state && !state.running)
      throw containerError(`The engine of ${model} exited with ${state.exitCode}: ${shown}`)
    if (line !== last.line) {
      last = { line, atMs: clock.monotonic() }
      options.onProgress?.(model, shown, percentIn(line))
    }
    const wasHealthy = await runs.has(id, startedAt)
    const [limitMs, sinceMs] = wasHealthy
      ? [silenceMs, silentSinceMs]
      : [stallMs, Math.max(last.atMs, silentSinceMs)]
    if (clock.monotonic() - sinceMs > limitMs)
      throw containerError(
        `The engine of ${model} ${wasHealthy ? 'was healthy, but has not responded' : 'made no progress'} for ${Math.round(limitMs / 1000)} s; its last log line: ${shown}`,
      )
    await clock.sleep(POLL_MS, signal)
  }
}

/** @returns undefined when the daemon does not respond */
async function readState(
  { docker }: HealthOptions,
  { id, port }: WatchedContainer,
  signal: AbortSignal,
): Promise<ContainerState | undefined> {
  try {
    return await docker.inspect(id, port, signal)
  } catch (error) {
    signal.throwIfAborted()
    if (isRefusal(error, 404)) throw error
    return undefined
  }
}

function addressOf({ running, hostPort }: ContainerState): string | undefined {
  return running && hostPort !== undefined ? `http://127.0.0.1:${hostPort}` : undefined
}

async function readLastLine({ docker }: HealthOptions, { id }: WatchedContainer, signal: AbortSignal) {
  const log = await docker.logs(id, signal).catch(() => '')
  signal.throwIfAborted()
  return lastLineOf(log)
}

/** The access log shows our own questions, which are no progress. */
function lastLineOf(log: string): string {
  const lines = log.trimEnd().split(/[\r\n]+/)
  return lines.findLast((line) => !line.includes('GET /health')) ?? ''
}

function containerError(message: string): TargonError {
  return new TargonError(message, {
    code: 'ENGINE_UNAVAILABLE',
    fault: 'upstream',
    next: 'Read the log of the container in the folder engine-logs of the state folder; the engine is started again automatically.',
  })
}

/** The percentage of vLLM's progress bars: `Loading safetensors checkpoint shards:  25% Completed | 1/4`. */
function percentIn(line: string): number | undefined {
  const percent = Number(/\b(\d{1,3})%/.exec(line)?.[1])
  return percent <= 100 ? percent : undefined
}

/** @returns `unasked` when this process has no file descriptor left to ask with, which says nothing about the engine. */
async function askHealth(url: string, signal: AbortSignal): Promise<'healthy' | 'unhealthy' | 'unasked'> {
  const options = {
    timeout: { request: HEALTH_TIMEOUT_MS },
    retry: { limit: 0 },
    followRedirect: false,
    throwHttpErrors: false,
  } as const
  try {
    const response = await withScopedSignal(signal, (own) =>
      got(`${url}/health`, { ...options, signal: own }),
    )
    return response.statusCode === 200 ? 'healthy' : 'unhealthy'
  } catch (error) {
    return isDescriptorShortage(error) ? 'unasked' : 'unhealthy'
  }
}
