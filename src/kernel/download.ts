import { withScopedSignal } from './scoped-signal.js'

export interface DownloadOptions {
  /** A longer body fails the download as soon as it is noticed. */
  readonly limitBytes: number
  /** For the whole download, including connecting. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly headers?: Readonly<Record<string, string>>
  /** Off by default, because a redirect lets the server choose the next URL. Model hubs redirect to their storage. */
  readonly followRedirect?: boolean
  /** Called with the length of each chunk. */
  readonly onBytes?: ((bytes: number) => void) | undefined
}

/**
 * GETs a file into memory: bounded in bytes and time, uncompressed, never retried.
 *
 * @throws got's error (HTTPError carries the status), Error for a body that is too long, the abort reason of the signal.
 */
export async function download(url: string, options: DownloadOptions): Promise<Buffer> {
  const { limitBytes, timeoutMs, signal, headers, followRedirect = false, onBytes } = options
  const { default: got } = await import('got')
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    await withScopedSignal(signal, async (scoped) => {
      const stream = got.stream(url, {
        signal: scoped,
        timeout: { request: timeoutMs },
        retry: { limit: 0 },
        followRedirect,
        decompress: false,
        headers: { ...headers, 'accept-encoding': 'identity' },
      })
      for await (const chunk of stream) {
        bytes += chunk.length
        if (bytes > limitBytes) throw new Error(`the response is longer than ${limitBytes} bytes`)
        chunks.push(Buffer.from(chunk))
        onBytes?.(chunk.length)
      }
    })
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
  return Buffer.concat(chunks)
}
