import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'

/** The data of a recorded node: raw metadata (a V14–V16 blob) and the results of runtime calls by name. */
export interface Recording {
  readonly metadata: Uint8Array
  readonly metadataVersion: number
  readonly runtimeVersion: object
  readonly header: object
  /** Results as hex, by `Trait_method`, or by `Trait_method 0x…` with the encoded input. */
  readonly calls?: Readonly<Record<string, string>>
  /** Raw values by storage key, both as hex. */
  readonly storage?: Readonly<Record<string, string>>
  /** The block into which every submitted extrinsic goes at once: its hash, and what chain_getBlock returns. */
  readonly block?: { readonly hash: string; readonly raw: object }
}

export interface RecordedNode {
  readonly url: string
  close(): Promise<void>
}

/** Serves a recording over JSON-RPC: enough for a client to connect, read one block and decode results. */
export async function startRecordedNode(recording: Recording): Promise<RecordedNode> {
  const server = createServer()
  const sockets = new WebSocketServer({ server })
  let subscriptions = 0
  const answer = (method: string, params: unknown[]): unknown => {
    switch (method) {
      case 'chain_getBlockHash':
        return `0x${'2f'.repeat(32)}`
      case 'chain_getHeader':
        return recording.header
      case 'chain_subscribeNewHead':
      case 'state_subscribeRuntimeVersion':
        return `sub${subscriptions++}`
      case 'state_getRuntimeVersion':
        return recording.runtimeVersion
      case 'system_chain':
        return 'Recorded'
      case 'system_properties':
        return {}
      case 'rpc_methods':
        return { methods: [] }
      case 'state_getStorage':
        return recording.storage?.[String(params[0])] ?? null
      case 'state_call':
        return callAnswer(String(params[0]), String(params[1]))
      case 'author_submitAndWatchExtrinsic':
        return `sub${subscriptions++}`
      case 'author_unwatchExtrinsic':
        return true
      case 'chain_getBlock':
        return recording.block?.raw
      default:
        throw new Error(`not recorded: ${method}`)
    }
  }
  const callAnswer = (name: string, input: string): string => {
    if (name === 'Metadata_metadata_versions') {
      return hex(Buffer.concat([Buffer.of(4), u32(recording.metadataVersion)]))
    }
    if (name === 'Metadata_metadata_at_version') {
      const { metadata } = recording
      return hex(Buffer.concat([Buffer.of(1), u32(metadata.length * 4 + 2), metadata]))
    }
    const recorded = recording.calls?.[`${name} ${input}`] ?? recording.calls?.[name]
    if (recorded === undefined) throw new Error(`not recorded: ${name}`)
    return recorded
  }
  sockets.on('connection', (socket) =>
    socket.on('message', (data) => {
      const { id, method, params } = JSON.parse(String(data))
      try {
        const result = answer(method, params)
        socket.send(JSON.stringify({ jsonrpc: '2.0', id, result }))
        if (method !== 'author_submitAndWatchExtrinsic') return
        const notice = { subscription: result, result: { inBlock: recording.block?.hash } }
        socket.send(JSON.stringify({ jsonrpc: '2.0', method: 'author_extrinsicUpdate', params: notice }))
      } catch (error) {
        socket.send(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32_601, message: String(error) } }))
      }
    }),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      for (const socket of sockets.clients) socket.terminate()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

/** Metadata from a file: raw, or as hex of a Metadata_metadata_at_version result (`01`, length, blob). */
export function readMetadataFile(bytes: Uint8Array): { metadata: Uint8Array; version: number } | undefined {
  const text = Buffer.from(bytes).toString('latin1').trim()
  let blob: Uint8Array = bytes
  if (/^(0x)?([0-9a-f]{2})+$/i.test(text)) {
    const wrapped = Buffer.from(text.replace(/^0x/, ''), 'hex')
    const at = wrapped.indexOf('meta')
    blob = wrapped.subarray(Math.max(0, at))
  }
  return Buffer.from(blob.subarray(0, 4)).toString('latin1') === 'meta'
    ? { metadata: blob, version: blob[4] ?? 0 }
    : undefined
}

const hex = (bytes: Uint8Array) => `0x${Buffer.from(bytes).toString('hex')}`

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
