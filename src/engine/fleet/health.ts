import got from 'got'
import { type Clock, withScopedSignal } from '../../kernel/index.js'
import { engineError } from '../engine-error.js'
import type { DockerClient } from './docker-client.js'

/** For a progress bar: what an image that is pulled or an engine that starts says last; `percent` when it is told. */
export type OnEngineProgress = (task: string, status: string, percent: number | undefined) => void

export interface HealthOptions {
  readonly docker: DockerClient
  readonly clock: Clock
  readonly onProgress?: OnEngineProgress | undefined
  /** How long an engine may show no progress while it starts; 10 min unless given. */
  readonly stallMs?: number
}

const POLL_MS = 2_000
const STALL_MS = 600_000
const HEALTH_TIMEOUT_MS = 3_000
const STATUS_LENGTH = 120

/**
 * Waits until the server in a container answers /health. A model takes as long as it takes to download and load, so
 * the deadline counts from the last line it logged.
 *
 * @returns its base address
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
        `The engine of ${model} made no progress for ${Math.round(stallMs / 1000)} s; its last line: ${line.slice(0, STATUS_LENGTH)}`,
      )
    }
    await clock.sleep(POLL_MS, signal)
  }
}

/** vLLM's own bars: `Loading safetensors checkpoint shards:  25% Completed | 1/4`. */
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
  const asked = withScopedSignal(signal, (own) => got(`${url}/health`, { ...options, signal: own }))
  const response = await asked.catch(() => undefined)
  return response?.statusCode === 200
}
