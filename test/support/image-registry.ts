import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ImageRegistry {
  /** `127.0.0.1:port`; Docker speaks plain HTTP with registries of this machine. */
  readonly host: string
  /** Refuses everything while true. */
  isDown: boolean
  close(): Promise<void>
}

export interface RegistryImage {
  /** An uncompressed tar archive: the only layer. */
  readonly layer: Buffer
  readonly entrypoint: readonly string[]
}

/** A Docker registry (v2) that serves one image under every name and tag, to callers with this login only. */
export async function startImageRegistry(
  { layer, entrypoint }: RegistryImage,
  login: { readonly username: string; readonly password: string },
): Promise<ImageRegistry> {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  const config = Buffer.from(
    JSON.stringify({
      ...{ architecture, os: 'linux', config: { Entrypoint: entrypoint } },
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
      history: [{ created_by: 'test' }],
    }),
  )
  const manifest = Buffer.from(
    JSON.stringify({
      ...{ schemaVersion: 2, mediaType: MANIFEST },
      config: { mediaType: 'application/vnd.docker.container.image.v1+json', ...sizeOf(config) },
      layers: [{ mediaType: 'application/vnd.docker.image.rootfs.diff.tar', ...sizeOf(layer) }],
    }),
  )
  const blobs = new Map([config, layer, manifest].map((blob) => [digestOf(blob), blob]))
  const authorization = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`
  const server = createServer((request, response) => {
    if (registry.isDown) return void request.destroy()
    if (request.headers.authorization !== authorization) {
      response.writeHead(401, {
        'www-authenticate': 'Basic realm="test"',
        'content-type': 'application/json',
      })
      return void response.end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}')
    }
    const url = request.url ?? ''
    if (/^\/v2\/?$/.test(url)) return void response.end('{}')
    const isManifest = url.includes('/manifests/')
    const blob = isManifest ? manifest : blobs.get(url.split('/').at(-1) ?? '')
    if (!blob) return void response.writeHead(404).end()
    response.writeHead(200, {
      'content-type': isManifest ? MANIFEST : 'application/octet-stream',
      'content-length': blob.length,
      'docker-content-digest': digestOf(blob),
    })
    response.end(request.method === 'HEAD' ? undefined : blob)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const registry: ImageRegistry = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    isDown: false,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return registry
}

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'

function digestOf(blob: Buffer): string {
  return `sha256:${createHash('sha256').update(blob).digest('hex')}`
}

function sizeOf(blob: Buffer) {
  return { size: blob.length, digest: digestOf(blob) }
}
