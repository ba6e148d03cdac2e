import { withScopedSignal } from './scoped-signal.js'

export interface DownloadOptions {
  /** A body that is longer is an error as soon as that is known. */
  readonly limitBytes: number
  /** For all of it, from the first connection on. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly headers?: Readonly<Record<string, string>>
  /** By default not: whoever answers would choose what is asked next. Hubs send to their stores. */
  readonly followRedirect?: boolean
  /** Told the length of each piece as it comes. */
  readonly onBytes?: ((bytes: number) => void) | undefined
}

/**
 * GETs what fits in memory: bounded in bytes and time, asked for without compression, never tried again.
 *
 * @throws got's error (HTTPError has the status of a refusal), Error for a body that is too long, the reason of the signal.
 */
export async function download(url: string, options: DownloadOptions): Promise<Buffer> {
  const { limitBytes, timeoutMs, signal, headers, followRedirect = false, onBytes } = options
  const { default: got } = await import('got')
  const pieces: Buffer[] = []
  let bytes = 0
  try {
    await withScopedSignal(signal, async (own) => {
      const stream = got.stream(url, {
        signal: own,
        timeout: { request: timeoutMs },
        retry: { limit: 0 },
        followRedirect,
        decompress: false,
        headers: { ...headers, 'accept-encoding': 'identity' },
      })
      for await (const piece of stream) {
        bytes += piece.length
        if (bytes > limitBytes) throw new Error(`it answers more than ${limitBytes} bytes`)
        pieces.push(Buffer.from(piece))
        onBytes?.(piece.length)
      }
    })
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
  return Buffer.concat(pieces)
}
