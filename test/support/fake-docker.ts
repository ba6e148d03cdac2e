import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { nodeArgumentsOf } from './compiled-program.js'
import { freePort } from './free-port.js'

interface Specification {
  Image: string
  Cmd: string[]
  Env: string[]
  Labels: Record<string, string>
  HostConfig: {
    PortBindings: Record<string, { HostIp: string; HostPort: string }[]>
    DeviceRequests: { DeviceIDs: string[] }[]
    Binds: string[]
  }
}

export interface FakeContainer {
  readonly id: string
  readonly name: string
  readonly specification: Specification
  port: number
  running: boolean
  exitCode: number
  startedAt: string
  log: string
  process: ChildProcess | undefined
  server: Server | undefined
}

export interface FakeDocker {
  readonly containers: Map<string, FakeContainer>
  /** Calls that change state, in order: `pull image`, `create name`, `start name`, `remove name`. */
  readonly calls: string[]
  /** Local images; a pull adds to them. */
  readonly images: Set<string>
  /** Models whose server exits at once, and models whose server makes no progress. */
  readonly crash: Set<string>
  readonly hang: Set<string>
  /** Models whose server accepts connections and answers nothing. */
  readonly silent: Set<string>
  pullFails: boolean
  /** Every call fails. */
  fails: boolean
  /** API versions that the daemon accepts, as minor numbers; undefined as `newest` makes it name none. */
  api: { oldest: number; newest: number | undefined }
  /** Names of its runtimes. */
  readonly runtimes: string[]
  /** What the daemon says instead of starting a container, by model. */
  readonly startErrors: Map<string, string>
  /** The decoded login of the last pull. */
  login: unknown
  /** Adds a container of another owner. */
  addForeign(name: string, labels: Record<string, string>): FakeContainer
  close(): Promise<void>
}

const script = new URL('./engine-process.ts', import.meta.url)

/** What a kill from outside leaves: an exited container. */
export function endContainer(container: FakeContainer): void {
  container.process?.kill('SIGKILL')
  container.server?.close()
  container.server?.closeAllConnections()
  container.running = false
  container.exitCode = 137
}

/**
 * Implements the part of the Docker Engine API that the fleet uses. A started container of a development model is a real
 * engine process; any other is a server that answers /health only.
 */
export async function startFakeDocker(socketPath: string): Promise<FakeDocker> {
  const docker: FakeDocker = {
    containers: new Map(),
    calls: [],
    images: new Set(),
    crash: new Set(),
    hang: new Set(),
    silent: new Set(),
    pullFails: false,
    fails: false,
    api: { oldest: 12, newest: 41 },
    runtimes: ['runc'],
    startErrors: new Map(),
    login: undefined,
    addForeign: (name, labels) =>
      add(docker, name, { Labels: labels, Cmd: [] } as unknown as Specification, true),
    close: async () => {
      for (const container of docker.containers.values()) endContainer(container)
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  const server = createServer((request, response) => {
    void answer(docker, request, response).catch((error: unknown) => {
      response.writeHead(500).end(JSON.stringify({ message: String(error) }))
    })
  })
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  return docker
}

function add(
  docker: FakeDocker,
  name: string,
  specification: Specification,
  running: boolean,
): FakeContainer {
  const id = randomBytes(32).toString('hex')
  const container: FakeContainer = {
    id,
    name,
    specification,
    port: 0,
    running,
    exitCode: 0,
    startedAt: '0001-01-01T00:00:00Z',
    log: '',
    process: undefined,
    server: undefined,
  }
  docker.containers.set(id, container)
  return container
}

async function answer(docker: FakeDocker, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '', 'http://docker')
  const path = url.pathname.replace(/^\/v[\d.]+/, '')
  const reply = (status: number, body?: unknown) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(body === undefined ? '' : JSON.stringify(body))
  }
  const { oldest, newest } = docker.api
  if (docker.fails) return void request.destroy()
  if (path === '/_ping') {
    if (newest !== undefined) response.setHeader('api-version', `1.${newest}`)
    return void response.end('OK')
  }
  const minor = Number(/^\/v1\.(\d+)/.exec(url.pathname)?.[1])
  // The texts of Docker 29 and 20.10.
  if (minor < oldest)
    return reply(400, {
      message: `client version 1.${minor} is too old. Minimum supported API version is 1.${oldest}, please upgrade your client to a newer version`,
    })
  if (minor > (newest ?? 41))
    return reply(400, {
      message: `client version 1.${minor} is too new. Maximum supported API version is 1.${newest ?? 41}`,
    })
  if (path === '/version') return reply(200, { Version: '28.5.1', ApiVersion: `1.${newest ?? 41}` })
  if (path === '/info')
    return reply(200, { Runtimes: Object.fromEntries(docker.runtimes.map((name) => [name, {}])) })
  if (path === '/images/create') {
    const login = request.headers['x-registry-auth']
    // Like Docker, which ignores a login without padding.
    docker.login =
      typeof login === 'string' && login.length % 4 === 0
        ? JSON.parse(Buffer.from(login, 'base64url').toString())
        : undefined
    return pull(docker, url.searchParams.get('fromImage') ?? '', response)
  }
  const image = /^\/images\/(.+)\/json$/.exec(path)?.[1]
  if (image)
    return docker.images.has(decodeURIComponent(image))
      ? reply(200, {})
      : reply(404, { message: 'no such image' })
  if (path === '/containers/json') return reply(200, list(docker, url.searchParams.get('filters') ?? '{}'))
  if (path === '/containers/create') {
    const name = url.searchParams.get('name') ?? ''
    if ([...docker.containers.values()].some((other) => other.name === name))
      return reply(409, { message: 'name in use' })
    docker.calls.push(`create ${name}`)
    return reply(201, {
      Id: add(docker, name, JSON.parse(await readAll(request)) as Specification, false).id,
    })
  }
  const [, id = '', action = ''] = /^\/containers\/([0-9a-f]+)(\/\w+)?$/.exec(path) ?? []
  const container = docker.containers.get(id)
  if (!container) return reply(404, { message: 'no such container' })
  if (request.method === 'DELETE') {
    docker.calls.push(`remove ${container.name}`)
    endContainer(container)
    docker.containers.delete(id)
    return reply(204)
  }
  if (action === '/start') {
    docker.calls.push(`start ${container.name}`)
    const refusal = docker.startErrors.get(container.specification.Labels['io.targon.model'] ?? '')
    if (refusal !== undefined) return reply(500, { message: refusal })
    await start(docker, container)
    return reply(204)
  }
  if (action === '/logs') return void response.end(frame(container.log))
  return reply(200, {
    State: {
      Running: container.running,
      ExitCode: container.exitCode,
      StartedAt: container.startedAt,
    },
    NetworkSettings: { Ports: { '8000/tcp': [{ HostIp: '127.0.0.1', HostPort: String(container.port) }] } },
  })
}

function list(docker: FakeDocker, filters: string) {
  const wanted = (JSON.parse(filters) as { label?: string[] }).label ?? []
  return [...docker.containers.values()]
    .filter(({ specification }) => wanted.every((label) => hasLabel(specification.Labels, label)))
    .map(({ id, name, running, specification }) => ({
      Id: id,
      Names: [`/${name}`],
      State: running ? 'running' : 'exited',
      Labels: specification.Labels,
    }))
}

function hasLabel(labels: Record<string, string>, label: string): boolean {
  const at = label.indexOf('=')
  return labels[label.slice(0, at)] === label.slice(at + 1)
}

function pull(docker: FakeDocker, image: string, response: ServerResponse): void {
  docker.calls.push(`pull ${image}`)
  response.write(`${JSON.stringify({ status: 'Pulling from vllm/vllm-openai', id: 'latest' })}\n`)
  if (docker.pullFails) return void response.end(`${JSON.stringify({ error: 'registry unreachable' })}\n`)
  docker.images.add(image)
  response.end(
    pullLines()
      .map((line) => `${JSON.stringify(line)}\n`)
      .join(''),
  )
}

/** Two layers of 300 and 100 MB, downloaded in parallel and extracted in order, and one that already exists. */
function pullLines() {
  const steps = (id: string, status: string, total: number) =>
    [0.25, 0.5, 1].map((share) => ({
      id,
      status,
      progressDetail: { current: share * total, total },
      progress: `[==>  ]  ${share * total}B/${total}B`,
    }))
  const [big, small] = [
    { id: '1f3e46996e29', total: 300e6 },
    { id: 'a3be5d4ce401', total: 100e6 },
  ]
  const downloads = [steps(big.id, 'Downloading', big.total), steps(small.id, 'Downloading', small.total)]
  return [
    { status: 'Already exists', progressDetail: {}, id: 'c0ffee000001' },
    ...[big, small].map(({ id }) => ({ status: 'Pulling fs layer', progressDetail: {}, id })),
    { status: 'Waiting', progressDetail: {}, id: small.id },
    ...(downloads[0] ?? []).flatMap((line, index) => [line, downloads[1]?.[index]]),
    ...[big, small].flatMap(({ id, total }) => [
      { status: 'Verifying Checksum', progressDetail: {}, id },
      { status: 'Download complete', progressDetail: {}, id },
      ...steps(id, 'Extracting', total),
      { status: 'Pull complete', progressDetail: {}, id },
    ]),
    { status: 'Digest: sha256:0123456789abcdef' },
    { status: 'Status: Downloaded newer image for vllm/vllm-openai:latest' },
  ]
}

async function start(docker: FakeDocker, container: FakeContainer): Promise<void> {
  const model = container.specification.Cmd[container.specification.Cmd.indexOf('--model') + 1] ?? ''
  container.running = true
  container.startedAt = new Date().toISOString()
  container.port = await freePort()
  if (docker.crash.has(model)) {
    container.running = false
    container.exitCode = 1
    container.log = 'torch.cuda.OutOfMemoryError: CUDA out of memory.\n'
    return
  }
  container.log = 'Loading safetensors checkpoint shards\n'
  if (docker.hang.has(model)) return
  if (!model.startsWith('targon-dev/')) {
    container.server = createServer((_, response) => {
      if (!docker.silent.has(model)) response.end()
    }).listen(container.port, '127.0.0.1')
    return
  }
  const child = spawn(process.execPath, [...nodeArgumentsOf(script), model, String(container.port)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  container.process = child
  child.stdout.on('data', (text: Buffer) => {
    container.log += text.toString()
  })
  child.once('exit', (code) => {
    container.running = false
    container.exitCode = code ?? 137
  })
}

function frame(text: string): Buffer {
  const body = Buffer.from(text)
  const header = Buffer.alloc(8)
  header[0] = 1
  header.writeUInt32BE(body.length, 4)
  return Buffer.concat([header, body])
}

async function readAll(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}
