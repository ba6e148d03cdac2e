import { z } from 'zod'
import { isRefusal } from './docker-error.js'
import { DockerHttp } from './docker-http.js'
import { pullImage, type RegistryLogin } from './image-pull.js'
import type { PullState } from './pull-progress.js'

const LOG_TAIL_LINES = 500

const containersSchema = z.array(
  z.object({
    Id: z.string(),
    Names: z.array(z.string()),
    State: z.string(),
    Labels: z.record(z.string(), z.string()).nullish(),
  }),
)
const inspectSchema = z.object({
  State: z.object({
    Running: z.boolean(),
    ExitCode: z.number().optional(),
    StartedAt: z.string().optional(),
  }),
  NetworkSettings: z.object({
    Ports: z.record(z.string(), z.array(z.object({ HostPort: z.string() })).nullable()).nullish(),
  }),
})
const versionSchema = z.object({ Version: z.string(), ApiVersion: z.string() })
const infoSchema = z.object({ Runtimes: z.record(z.string(), z.unknown()).nullish() })
const createdSchema = z.object({ Id: z.string() })

export interface Container {
  readonly id: string
  readonly name: string
  readonly running: boolean
  readonly labels: Readonly<Record<string, string>>
}

export interface ContainerState {
  readonly running: boolean
  readonly exitCode: number | undefined
  /** When it was last started, as the daemon writes it. */
  readonly startedAt: string | undefined
  /** Port on this host to which the container's port is bound. */
  readonly hostPort: number | undefined
}

/** What a daemon says of itself. */
export interface DockerDescription {
  readonly version: string
  readonly apiVersion: string
  /** Names of its runtimes, such as `runc` and `nvidia`. */
  readonly runtimes: readonly string[]
}

/**
 * The calls of the Docker Engine API that a fleet needs, over its unix socket. Podman's compatible socket works too. Every
 * call throws TargonError DOCKER (upstream).
 */
export class DockerClient {
  readonly #http: DockerHttp

  constructor(socketPath: string) {
    this.#http = new DockerHttp(socketPath)
  }

  async describe(signal: AbortSignal): Promise<DockerDescription> {
    const { Version, ApiVersion } = versionSchema.parse(await this.#callJson('GET', '/version', signal))
    const { Runtimes } = infoSchema.parse(await this.#callJson('GET', '/info', signal))
    return { version: Version, apiVersion: ApiVersion, runtimes: Object.keys(Runtimes ?? {}) }
  }

  async hasImage(image: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#http.call('GET', `/images/${encodeURIComponent(image)}/json`, signal)
      return true
    } catch (error) {
      if (isRefusal(error, 404)) return false
      throw error
    }
  }

  async pull(
    image: string,
    login: RegistryLogin | undefined,
    signal: AbortSignal,
    onProgress: (state: PullState) => void,
  ): Promise<void> {
    await pullImage(this.#http, { image, login, onProgress }, signal)
  }

  async list(label: string, signal: AbortSignal): Promise<Container[]> {
    const filters = encodeURIComponent(JSON.stringify({ label: [label] }))
    const path = `/containers/json?all=true&filters=${filters}`
    return containersSchema
      .parse(await this.#callJson('GET', path, signal))
      .map(({ Id, Names, State, Labels }) => ({
        id: Id,
        name: (Names[0] ?? Id).replace(/^\//, ''),
        running: State === 'running',
        labels: Labels ?? {},
      }))
  }

  /** @returns the id of the container */
  async create(name: string, specification: unknown, signal: AbortSignal): Promise<string> {
    const path = `/containers/create?name=${encodeURIComponent(name)}`
    return createdSchema.parse(await this.#callJson('POST', path, signal, specification)).Id
  }

  async start(id: string, signal: AbortSignal): Promise<void> {
    await this.#http.call('POST', `/containers/${id}/start`, signal)
  }

  async inspect(id: string, containerPort: number, signal: AbortSignal): Promise<ContainerState> {
    const path = `/containers/${id}/json`
    const { State, NetworkSettings } = inspectSchema.parse(await this.#callJson('GET', path, signal))
    const hostPort = Number(NetworkSettings.Ports?.[`${containerPort}/tcp`]?.[0]?.HostPort)
    return {
      running: State.Running,
      exitCode: State.ExitCode,
      startedAt: State.StartedAt,
      hostPort: Number.isInteger(hostPort) && hostPort > 0 ? hostPort : undefined,
    }
  }

  async logs(id: string, signal: AbortSignal): Promise<string> {
    const path = `/containers/${id}/logs?stdout=true&stderr=true&tail=${LOG_TAIL_LINES}`
    return readLogFrames(await this.#http.call('GET', path, signal))
  }

  /** Succeeds also when the container is gone already or just being removed. */
  async remove(id: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#http.call('DELETE', `/containers/${id}?force=true&v=false`, signal)
    } catch (error) {
      const isGone = isRefusal(error, 404) || (isRefusal(error, 409) && error.message.includes('in progress'))
      if (!isGone) throw error
    }
  }

  async #callJson(
    method: 'GET' | 'POST',
    path: string,
    signal: AbortSignal,
    body?: unknown,
  ): Promise<unknown> {
    return JSON.parse((await this.#http.call(method, path, signal, body)).toString('utf8'))
  }
}

/** Without a terminal, Docker puts 8 bytes of header (stream, length) before each piece of a log. */
function readLogFrames(body: Buffer): string {
  const pieces: Buffer[] = []
  let at = 0
  while (at + 8 <= body.length && (body[at] ?? 9) <= 2 && body.readUIntBE(at + 1, 3) === 0) {
    const length = body.readUInt32BE(at + 4)
    pieces.push(body.subarray(at + 8, at + 8 + length))
    at += 8 + length
  }
  return (pieces.length > 0 ? Buffer.concat(pieces) : body).toString('utf8')
}
