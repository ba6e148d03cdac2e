import got, { HTTPError } from 'got'
import { z } from 'zod'
import { messageOf, TargonError, withScopedSignal } from '../../kernel/index.js'
import { PullProgress, type PullState, pullLineSchema } from './pull-progress.js'

const API = '/v1.41'
const TIMEOUT_MS = 30_000
/** Longest pause between two lines of a pull's progress. */
const PULL_GAP_MS = 120_000
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
  State: z.object({ Running: z.boolean(), ExitCode: z.number().optional() }),
  NetworkSettings: z.object({
    Ports: z.record(z.string(), z.array(z.object({ HostPort: z.string() })).nullable()).nullish(),
  }),
})
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
  /** Port on this host to which the container's port is bound. */
  readonly hostPort: number | undefined
}

/**
 * The calls of the Docker Engine API that a fleet needs, over its unix socket. Podman's compatible socket works too. Every
 * call throws TargonError DOCKER (upstream).
 */
export class DockerClient {
  constructor(private readonly socketPath: string) {}

  async ping(signal: AbortSignal): Promise<void> {
    await this.#call('GET', '/_ping', signal)
  }

  async hasImage(image: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#call('GET', `/images/${encodeURIComponent(image)}/json`, signal)
      return true
    } catch (error) {
      if (error instanceof TargonError && error.facts.status === 404) return false
      throw error
    }
  }

  async pull(image: string, signal: AbortSignal, onProgress: (state: PullState) => void): Promise<void> {
    const path = `/images/create?fromImage=${encodeURIComponent(image)}`
    try {
      await withScopedSignal(signal, (own) => readPull(this.#url(path), own, onProgress))
    } catch (error) {
      signal.throwIfAborted()
      throw this.#error(`pulling ${image}`, error)
    }
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
    await this.#call('POST', `/containers/${id}/start`, signal)
  }

  async inspect(id: string, containerPort: number, signal: AbortSignal): Promise<ContainerState> {
    const path = `/containers/${id}/json`
    const { State, NetworkSettings } = inspectSchema.parse(await this.#callJson('GET', path, signal))
    const hostPort = Number(NetworkSettings.Ports?.[`${containerPort}/tcp`]?.[0]?.HostPort)
    return {
      running: State.Running,
      exitCode: State.ExitCode,
      hostPort: Number.isInteger(hostPort) && hostPort > 0 ? hostPort : undefined,
    }
  }

  async logs(id: string, signal: AbortSignal): Promise<string> {
    const path = `/containers/${id}/logs?stdout=true&stderr=true&tail=${LOG_TAIL_LINES}`
    return readLogFrames(await this.#call('GET', path, signal))
  }

  async remove(id: string, signal: AbortSignal): Promise<void> {
    await this.#call('DELETE', `/containers/${id}?force=true&v=false`, signal)
  }

  #url(path: string): string {
    return `http://unix:${this.socketPath}:${API}${path}`
  }

  async #call(method: 'GET' | 'POST' | 'DELETE', path: string, signal: AbortSignal, body?: unknown) {
    try {
      const response = await withScopedSignal(signal, (own) =>
        got(this.#url(path), {
          method,
          enableUnixSockets: true,
          retry: { limit: 0 },
          followRedirect: false,
          timeout: { request: TIMEOUT_MS },
          signal: own,
          responseType: 'buffer',
          ...(body === undefined ? {} : { json: body }),
        }),
      )
      return response.body
    } catch (error) {
      signal.throwIfAborted()
      throw this.#error(`${method} ${path}`, error)
    }
  }

  async #callJson(
    method: 'GET' | 'POST',
    path: string,
    signal: AbortSignal,
    body?: unknown,
  ): Promise<unknown> {
    return JSON.parse((await this.#call(method, path, signal, body)).toString('utf8'))
  }

  /** No `cause`: got's errors hold the whole connection. */
  #error(what: string, error: unknown): TargonError {
    const body = error instanceof HTTPError ? ` ${String(error.response.body).slice(0, 300)}` : ''
    return new TargonError(`Docker at ${this.socketPath} failed: ${what}: ${messageOf(error)}${body}`, {
      code: 'DOCKER',
      fault: 'upstream',
      next: 'Check that this user can access the Docker socket, or use --engine.mode endpoints.',
      facts: error instanceof HTTPError ? { status: error.response.statusCode } : {},
    })
  }
}

async function readPull(
  url: string,
  signal: AbortSignal,
  onProgress: (state: PullState) => void,
): Promise<void> {
  const progress = new PullProgress()
  const stream = got.stream.post(url, {
    signal,
    // Without a body got waits for one to be piped in.
    body: '',
    enableUnixSockets: true,
    retry: { limit: 0 },
    timeout: { socket: PULL_GAP_MS },
  })
  let rest = ''
  for await (const chunk of stream) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const text of lines.filter((line) => line.trim() !== '')) {
      const line = pullLineSchema.parse(JSON.parse(text))
      if (line.error !== undefined) throw new Error(line.error)
      const state = progress.accept(line)
      if (state) onProgress(state)
    }
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
