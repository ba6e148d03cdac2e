import type { AddressInfo } from 'node:net'
import { xxhashAsHex } from '@polkadot/util-crypto'
import { WebSocket, WebSocketServer } from 'ws'

/** Changes the result of a call, given its parameters. */
export type Lie = (result: unknown, params: readonly unknown[]) => unknown

export interface LyingEndpoint {
  readonly url: string
  /** Lies by method name. */
  readonly lies: Map<string, Lie>
  /** Called, by method name, before a request is forwarded to the chain. */
  readonly before: Map<string, () => void>
  /** Drops subscription notices: the head does not advance while every request still gets its result. */
  muted: boolean
  close(): Promise<void>
}

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: readonly unknown[]
  readonly result?: unknown
}

/** Relays JSON-RPC to a chain and replaces the results of some calls. */
export async function startLyingEndpoint(target: string): Promise<LyingEndpoint> {
  const lies = new Map<string, Lie>()
  const before = new Map<string, () => void>()
  let muted = false
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await new Promise<void>((resolve) => server.once('listening', () => resolve()))
  server.on('connection', (client) => {
    const requests = new Map<number, Message>()
    const upstream = new WebSocket(target)
    const open = new Promise<void>((resolve) => upstream.once('open', () => resolve()))
    client.on('message', async (data) => {
      const text = data.toString()
      const message = JSON.parse(text) as Message
      if (message.id !== undefined) requests.set(message.id, message)
      await open
      before.get(message.method ?? '')?.()
      upstream.send(text)
    })
    upstream.on('message', (data) => {
      const message = JSON.parse(data.toString()) as Message
      if (muted && message.id === undefined) return
      const request = requests.get(message.id ?? -1)
      const lie = lies.get(request?.method ?? '')
      const isLie = lie !== undefined && 'result' in message
      client.send(
        JSON.stringify(isLie ? { ...message, result: lie(message.result, request?.params ?? []) } : message),
      )
    })
    upstream.on('error', () => client.terminate())
    upstream.on('close', () => client.terminate())
    client.on('close', () => upstream.terminate())
  })
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lies,
    before,
    get muted() {
      return muted
    },
    set muted(value) {
      muted = value
    },
    close: async () => {
      for (const client of server.clients) client.terminate()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

/** Changes the value of one storage item of SubtensorModule. */
export function aboutItem(item: string, lie: (hex: string | null) => string | null): Lie {
  const prefix = xxhashAsHex('SubtensorModule', 128) + xxhashAsHex(item, 128).slice(2)
  return (result, [key]) =>
    String(key).startsWith(prefix) ? lie(typeof result === 'string' ? result : null) : result
}
