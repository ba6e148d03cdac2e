import got from 'got'
import { withScopedSignal } from '../../kernel/index.js'
import type { DockerHttp } from './docker-http.js'
import { PullProgress, type PullState, pullLineSchema } from './pull-progress.js'

/** Longest pause between two lines of a pull's progress. */
const PULL_GAP_MS = 120_000

/** Who this host is to a registry. */
export interface RegistryLogin {
  readonly username: string
  readonly password: string
}

export interface PullRequest {
  /** Full reference, with tag or digest. */
  readonly image: string
  readonly login: RegistryLogin | undefined
  readonly onProgress: (state: PullState) => void
}

/** Makes the daemon pull an image, which takes as long as new lines of progress come. @throws TargonError DOCKER */
export async function pullImage(
  http: DockerHttp,
  { image, login, onProgress }: PullRequest,
  signal: AbortSignal,
): Promise<void> {
  await http.withVersion(signal, async (prefix) => {
    const url = http.url(`${prefix}/images/create?fromImage=${encodeURIComponent(image)}`)
    try {
      await withScopedSignal(signal, (own) => readPull(url, login, own, onProgress))
    } catch (error) {
      signal.throwIfAborted()
      throw http.error(`pulling ${image}`, error)
    }
  })
}

async function readPull(
  url: string,
  login: RegistryLogin | undefined,
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
    headers: login ? { 'x-registry-auth': encodeLogin(login) } : {},
  })
  stream.setEncoding('utf8')
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

/** Docker ignores a login without the padding, which Node's own base64url leaves out. */
function encodeLogin(login: RegistryLogin): string {
  return Buffer.from(JSON.stringify(login)).toString('base64').replaceAll('+', '-').replaceAll('/', '_')
}
