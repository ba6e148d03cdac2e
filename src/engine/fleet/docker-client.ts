import got, { HTTPError } from 'got'
import { z } from 'zod'
import { messageOf, TargonError, withScopedSignal } from '../../kernel/index.js'
import { PullProgress, type PullState, pullLineSchema } from './pull-progress.js'

const API = '/v1.41'
const TIMEOUT_MS = 30_000
/** Between two lines of a pull's progress. */
const PULL_GAP_MS = 120_000
const LOG_TAIL_LINES = 500

const containerSchema = z.object({
  Id: z.string(),
  Names: z.array(z.string()),
  State: z.string(),
  Labels: z.record(z.string(), z.string()).nullish(),
})
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

/** The calls of the Docker Engine API a fleet needs, over its unix socket; Podman's compatible socket answers them too. */
export interface DockerClient {
  ping(signal: AbortSignal): Promise<void>
  hasImage(image: string, signal: AbortSignal): Promise<boolean>
  pull(image: string, signal: AbortSignal, onProgress: (state: PullState) => void): Promise<void>
  list(label: string, signal: AbortSignal): Promise<Container[]>
  create(name: string, specification: unknown, signal: AbortSignal): Promise<string>
  start(id: string, signal: AbortSignal): Promise<void>
  /** Running, and the port on this host its `containerPort` is bound to. */
  inspect(
    id: string,
    containerPort: number,
    signal: AbortSignal,
  ): Promise<{ running: boolean; exitCode: number | undefined; hostPort: number | undefined }>
  logs(id: string, signal: AbortSignal): Promise<string>
  remove(id: string, signal: AbortSignal): Promise<void>
}

export function createDockerClient(socketPath: string): DockerClient {
  const call = async (
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    signal: AbortSignal,
    body?: unknown,
  ) => {
    try {
      const response = await withScopedSignal(signal, (own) =>
        got(`http://unix:${socketPath}:${API}${path}`, {
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
      throw dockerError(socketPath, `${method} ${path}`, error)
    }
  }
  const json = async (
    method: 'GET' | 'POST',
    path: string,
    signal: AbortSignal,
    body?: unknown,
  ): Promise<unknown> => JSON.parse((await call(method, path, signal, body)).toString('utf8'))

  return {
    ping: async (signal) => void (await call('GET', '/_ping', signal)),
    hasImage: async (image, signal) => {
      try {
        await call('GET', `/images/${encodeURIComponent(image)}/json`, signal)
        return true
      } catch (error) {
        if (statusOf(error) === 404) return false
        throw error
      }
    },
    pull: (image, signal, onProgress) => pull(socketPath, image, signal, onProgress),
    list: async (label, signal) => {
      const filters = encodeURIComponent(JSON.stringify({ label: [label] }))
      const list = z
        .array(containerSchema)
        .parse(await json('GET', `/containers/json?all=true&filters=${filters}`, signal))
      return list.map(({ Id, Names, State, Labels }) => ({
        id: Id,
        name: (Names[0] ?? Id).replace(/^\//, ''),
        running: State === 'running',
        labels: Labels ?? {},
      }))
    },
    create: async (name, specification, signal) =>
      createdSchema.parse(
        await json('POST', `/containers/create?name=${encodeURIComponent(name)}`, signal, specification),
      ).Id,
    start: async (id, signal) => void (await call('POST', `/containers/${id}/start`, signal)),
    inspect: async (id, containerPort, signal) => {
      const { State, NetworkSettings } = inspectSchema.parse(
        await json('GET', `/containers/${id}/json`, signal),
      )
      const hostPort = Number(NetworkSettings.Ports?.[`${containerPort}/tcp`]?.[0]?.HostPort)
      return {
        running: State.Running,
        exitCode: State.ExitCode,
        hostPort: Number.isInteger(hostPort) && hostPort > 0 ? hostPort : undefined,
      }
    },
    logs: async (id, signal) => {
      const path = `/containers/${id}/logs?stdout=true&stderr=true&tail=${LOG_TAIL_LINES}`
      return readLogFrames(await call('GET', path, signal))
    },
    remove: async (id, signal) => void (await call('DELETE', `/containers/${id}?force=true&v=false`, signal)),
  }
}

async function pull(
  socketPath: string,
  image: string,
  signal: AbortSignal,
  onProgress: (state: PullState) => void,
): Promise<void> {
  const progress = new PullProgress()
  const path = `/images/create?fromImage=${encodeURIComponent(image)}`
  try {
    await withScopedSignal(signal, async (own) => {
      const stream = got.stream.post(`http://unix:${socketPath}:${API}${path}`, {
        signal: own,
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
        for (const line of lines.filter((text) => text.trim() !== '')) {
          const said = pullLineSchema.parse(JSON.parse(line))
          if (said.error !== undefined) throw new Error(said.error)
          const state = progress.accept(said)
          if (state) onProgress(state)
        }
      }
    })
  } catch (error) {
    signal.throwIfAborted()
    throw dockerError(socketPath, `pulling ${image}`, error)
  }
}

/** Without a terminal Docker frames its log: 8 bytes of header (stream, length) before each piece. */
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

/** No `cause`: got's errors carry the whole connection. */
function dockerError(socketPath: string, what: string, error: unknown): TargonError {
  const body = error instanceof HTTPError ? ` ${String(error.response.body).slice(0, 300)}` : ''
  return new TargonError(`Docker at ${socketPath} failed: ${what}: ${messageOf(error)}${body}`, {
    code: 'DOCKER',
    fault: 'upstream',
    next: 'Check that the Docker socket can be read, or use --engine.mode endpoints.',
    facts: error instanceof HTTPError ? { status: error.response.statusCode } : {},
  })
}

function statusOf(error: unknown): unknown {
  return error instanceof TargonError ? error.facts.status : undefined
}
