import got from 'got'
import { TargonError, withScopedSignal } from '../../kernel/index.js'
import { dockerError, isRefusal } from './docker-error.js'

const TIMEOUT_MS = 30_000
/** Spoken with a daemon that names no version; all that 4.4.1's time had to offer. */
const UNNAMED_VERSION = '1.41'
/** The first version in which a container can ask for GPUs (Docker 19.03). */
const LEAST_MINOR = 40

export type DockerMethod = 'GET' | 'POST' | 'DELETE'

/**
 * HTTP over the daemon's unix socket, in the daemon's own API version: a fixed one is refused by a newer daemon (Docker 29
 * takes none below 1.44) or an older one. The few calls of a fleet have the same shape in all versions from 1.40 on.
 */
export class DockerHttp {
  #version: Promise<string> | undefined

  constructor(readonly socketPath: string) {}

  /** @throws TargonError DOCKER */
  async call(method: DockerMethod, path: string, signal: AbortSignal, body?: unknown): Promise<Buffer> {
    return await this.withVersion(signal, async (prefix) => {
      try {
        return (await this.#request(method, prefix + path, signal, body)).body
      } catch (error) {
        signal.throwIfAborted()
        throw this.error(`${method} ${path}`, error)
      }
    })
  }

  /**
   * Runs `work` with the path prefix of the daemon's API version, and once more when the daemon refuses the version: it was
   * replaced by another release.
   */
  async withVersion<T>(signal: AbortSignal, work: (prefix: string) => Promise<T>): Promise<T> {
    const known = this.#version
    const attempt = async () => await work(`/v${await this.#negotiated(signal)}`)
    try {
      return await attempt()
    } catch (error) {
      const isStale = known !== undefined && isRefusal(error, 400) && /client version/i.test(error.message)
      if (!isStale) throw error
      if (this.#version === known) this.#version = undefined
      return await attempt()
    }
  }

  url(path: string): string {
    return `http://unix:${this.socketPath}:${path}`
  }

  error(what: string, error: unknown): TargonError {
    return dockerError(this.socketPath, what, error)
  }

  async #negotiated(signal: AbortSignal): Promise<string> {
    this.#version ??= this.#readVersion(signal)
    const asked = this.#version
    try {
      return await asked
    } catch (error) {
      // Also when the signal of another call ended the question.
      if (this.#version === asked) this.#version = undefined
      throw error
    }
  }

  async #readVersion(signal: AbortSignal): Promise<string> {
    const named = await this.#ping(signal)
    const version = typeof named === 'string' && /^1\.\d{1,3}$/.test(named) ? named : UNNAMED_VERSION
    if (Number(version.slice(2)) >= LEAST_MINOR) return version
    throw new TargonError(
      `Docker at ${this.socketPath} speaks API version ${version}, but engines need 1.${LEAST_MINOR} for their GPUs.`,
      { code: 'DOCKER', fault: 'upstream', next: 'Install Docker 20.10 or newer.' },
    )
  }

  /** @returns the header Api-Version */
  async #ping(signal: AbortSignal): Promise<unknown> {
    try {
      return (await this.#request('GET', '/_ping', signal)).headers['api-version']
    } catch (error) {
      signal.throwIfAborted()
      throw this.error('GET /_ping', error)
    }
  }

  #request(method: DockerMethod, path: string, signal: AbortSignal, body?: unknown) {
    return withScopedSignal(signal, (own) =>
      got(this.url(path), {
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
  }
}
