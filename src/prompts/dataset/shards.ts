import { open, stat } from 'node:fs/promises'
import got from 'got'
import type { AsyncBuffer } from 'hyparquet'
import { z } from 'zod'
import { download, parseJson } from '../../kernel/index.js'

const MAX_LIST_BYTES = 1024 * 1024
const MAX_RANGE_BYTES = 96 * 1024 * 1024
const TIMEOUT_MS = 30_000

const listSchema = z.array(z.url()).min(1).max(10_000)

export interface ShardOptions {
  /** Called with the number of bytes of each chunk, for a progress bar. */
  readonly onBytes?: (bytes: number) => void
}

/** URLs or paths of the Parquet shards; the source is one file, or the URL of a JSON list as the hub returns it. */
export async function listShards(source: string, signal: AbortSignal): Promise<readonly string[]> {
  if (!/^https?:/.test(source) || new URL(source).pathname.endsWith('.parquet')) return [source]
  const body = await fetchBytes(source, {}, MAX_LIST_BYTES, signal)
  return listSchema.parse(parseJson(Buffer.from(body).toString('utf8'), { depth: 1, values: 20_000 }))
}

/** Opens a local or remote shard for reading by ranges. */
export async function openShard(
  shard: string,
  signal: AbortSignal,
  { onBytes }: ShardOptions = {},
): Promise<AsyncBuffer> {
  const file = /^https?:/.test(shard)
    ? await openRemote(shard, signal, onBytes)
    : await openLocal(shard, onBytes)
  return {
    byteLength: file.byteLength,
    slice: async (start, end = file.byteLength) => {
      if (end - start > MAX_RANGE_BYTES) throw new Error(`a range of ${end - start} bytes is too large`)
      return await file.slice(start, end)
    },
  }
}

async function openRemote(
  url: string,
  signal: AbortSignal,
  onBytes: ShardOptions['onBytes'],
): Promise<AsyncBuffer> {
  signal.throwIfAborted()
  const head = got.head(url, {
    timeout: { request: TIMEOUT_MS },
    retry: { limit: 1 },
    headers: { 'accept-encoding': 'identity' },
  })
  const abort = () => head.cancel()
  signal.addEventListener('abort', abort, { once: true })
  const { headers } = await head.finally(() => signal.removeEventListener('abort', abort))
  const byteLength = Number(headers['content-length'])
  if (!Number.isSafeInteger(byteLength) || byteLength <= 0)
    throw new Error(`${url} returned no valid content-length`)
  return {
    byteLength,
    slice: (start, end = byteLength) =>
      fetchBytes(url, { range: `bytes=${start}-${end - 1}` }, end - start, signal, onBytes),
  }
}

async function openLocal(path: string, onBytes: ShardOptions['onBytes']): Promise<AsyncBuffer> {
  const { size } = await stat(path)
  return {
    byteLength: size,
    slice: async (start, end = size) => {
      const bytes = await readLocal(path, start, end)
      onBytes?.(bytes.byteLength)
      return bytes
    },
  }
}

async function readLocal(path: string, start: number, end: number): Promise<ArrayBuffer> {
  const handle = await open(path, 'r')
  try {
    const bytes = new Uint8Array(end - start)
    await handle.read(bytes, 0, bytes.length, start)
    return bytes.buffer
  } finally {
    await handle.close()
  }
}

async function fetchBytes(
  url: string,
  headers: Readonly<Record<string, string>>,
  limitBytes: number,
  signal: AbortSignal,
  onBytes?: (bytes: number) => void,
): Promise<ArrayBuffer> {
  const bounds = { limitBytes, timeoutMs: TIMEOUT_MS, signal, followRedirect: true }
  const body = await download(url, { ...bounds, headers, onBytes })
  if (headers.range !== undefined && body.length !== limitBytes)
    throw new Error(`${url} does not support range requests`)
  return new Uint8Array(body).buffer
}
