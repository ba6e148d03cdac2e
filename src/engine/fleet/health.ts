import got from 'got'
import { type Clock, withScopedSignal } from '../../kernel/index.js'
import { engineError } from '../engine-error.js'
import type { DockerClient } from './docker-client.js'

/** Progress of an image pull or of a starting engine; `percent` is undefined when it is not reported. */
export type OnEngineProgress = (task: string, status: string, percent: number | undefined) => void

export interface HealthOptions {
  readonly docker: DockerClient
  readonly clock: Clock
  readonly onProgress?: OnEngineProgress | undefined
  /** How long a starting engine may show no progress. Default: 10 min. */
  readonly stallMs?: number
}

const POLL_MS = 2_000
const STALL_MS = 600_000
const HEALTH_TIMEOUT_MS = 3_000
const STATUS_LENGTH = 120

/**
 * Waits until the server in a container answers /health. Downloading and loading a model may take any time, so the
 * deadline counts from the last new line in the log.
 *
 * @returns the base URL of the server
 * @throws TargonError ENGINE_UNAVAILABLE when the container exits or stalls
 */
export async function awaitHealthy(
  options: HealthOptions,
  model: string,
  id: string,
  port: number,
  signal: AbortSignal,
): Promise<string> {
  const { docker, clock } = options
  const stallMs = options.stallMs ?? STALL_MS
  let lastLine = ''
  let progressAt = clock.monotonic()
  for (;;) {
    const { running, exitCode, hostPort } = await docker.inspect(id, port, signal)
    const url = `http://127.0.0.1:${hostPort ?? 0}`
    if (running && hostPort !== undefined && (await isHealthy(url, signal))) return url
    const line =
      (await docker.logs(id, signal))
        .trimEnd()
        .split(/[\r\n]+/)
        .at(-1) ?? ''
    if (!running) {
      throw engineError(
        'ENGINE_UNAVAILABLE',
        `The engine of ${model} exited with ${exitCode}: ${line.slice(0, STATUS_LENGTH)}`,
      )
    }
    if (line !== lastLine) {
      lastLine = line
      progressAt = clock.monotonic()
      options.onProgress?.(model, line.slice(0, STATUS_LENGTH), percentIn(line))
    }
    if (clock.monotonic() - progressAt > stallMs) {
      throw engineError(
        'ENGINE_UNAVAILABLE',
        `The engine of ${model} made no progress for ${Math.round(stallMs / 1000)} s; its last log line: ${line.slice(0, STATUS_LENGTH)}`,
      )
    }
    await clock.sleep(POLL_MS, signal)
  }
}

/** The percentage of vLLM's progress bars: `Loading safetensors checkpoint shards:  25% Completed | 1/4`. */
function percentIn(line: string): number | undefined {
  const percent = Number(/\b(\d{1,3})%/.exec(line)?.[1])
  return percent <= 100 ? percent : undefined
}

async function isHealthy(url: string, signal: AbortSignal): Promise<boolean> {
  const options = {
    timeout: { request: HEALTH_TIMEOUT_MS },
    retry: { limit: 0 },
    followRedirect: false,
    throwHttpErrors: false,
  } as const
  const response = withScopedSignal(signal, (own) => got(`${url}/health`, { ...options, signal: own }))
  return (await response.catch(() => undefined))?.statusCode === 200
}
