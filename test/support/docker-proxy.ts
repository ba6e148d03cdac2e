import { createServer, type IncomingMessage, request } from 'node:http'

export interface DockerProxy {
  /** API versions that the proxy accepts, as minor numbers: another release of Docker in front of this one. */
  api: { oldest: number; newest: number } | undefined
  /** Calls that change state: `POST /images/create?…`. */
  readonly calls: string[]
  close(): Promise<void>
}

interface CreateBody {
  HostConfig?: { DeviceRequests?: unknown; Binds?: string[]; IpcMode?: string }
}

/**
 * Stands before a Docker daemon on a machine without GPUs: drops the request for GPUs from new containers and shows them
 * `binds` of this machine. Everything else goes through.
 */
export async function startDockerProxy(
  socketPath: string,
  daemonPath: string,
  binds: readonly string[],
): Promise<DockerProxy> {
  const proxy: DockerProxy = {
    api: undefined,
    calls: [],
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  const server = createServer(async (incoming, outgoing) => {
    const path = incoming.url ?? ''
    const minor = Number(/^\/v1\.(\d+)\//.exec(path)?.[1])
    if (proxy.api && minor < proxy.api.oldest) {
      outgoing.writeHead(400, { 'content-type': 'application/json' })
      const message = `client version 1.${minor} is too old. Minimum supported API version is 1.${proxy.api.oldest}, please upgrade your client to a newer version`
      outgoing.end(JSON.stringify({ message }))
      return
    }
    const plain = path.replace(/^\/v1\.\d+/, '')
    if (incoming.method !== 'GET') proxy.calls.push(`${incoming.method} ${plain}`)
    let body = await readAll(incoming)
    if (plain.startsWith('/containers/create')) body = adapt(body, binds)
    const headers = { ...incoming.headers, 'content-length': String(body.length) }
    // Without a version the daemon speaks its own.
    const upstream = request(
      { socketPath: daemonPath, method: incoming.method, path: plain, headers },
      (reply) => {
        const changed = proxy.api && plain === '/_ping' ? { 'api-version': `1.${proxy.api.newest}` } : {}
        outgoing.writeHead(reply.statusCode ?? 502, { ...reply.headers, ...changed })
        reply.pipe(outgoing)
      },
    )
    upstream.on('error', () => outgoing.destroy())
    outgoing.on('close', () => upstream.destroy())
    upstream.end(body)
  })
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  return proxy
}

function adapt(body: Buffer, binds: readonly string[]): Buffer {
  const specification = JSON.parse(body.toString('utf8')) as CreateBody
  const { DeviceRequests: _, ...host } = specification.HostConfig ?? {}
  const adapted = { ...host, Binds: [...(host.Binds ?? []), ...binds] }
  return Buffer.from(JSON.stringify({ ...specification, HostConfig: adapted }))
}

async function readAll(incoming: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of incoming) parts.push(part as Buffer)
  return Buffer.concat(parts)
}
