import { setMaxListeners } from 'node:events'
import WebSocket from 'ws'
import { z } from 'zod'
import { type Clock, TargonError, withDeadline } from '../kernel/index.js'

/** One JSON-RPC connection to one endpoint. It never reconnects: whoever holds it decides what comes next. */
export interface Rpc {
  readonly endpoint: string
  /** Resolves with the reason once the connection is gone; never rejects. */
  readonly closed: Promise<string>
  /**
   * @throws RpcError when the node answers with an error; TargonError CHAIN_CONNECTION_LOST; DeadlineError.
   */
  request(method: string, params: readonly unknown[], options?: RequestOptions): Promise<unknown>
  /** Subscribes; `onNotice` gets every result until the connection closes or the returned function is called. */
  subscribe(
    method: string,
    params: readonly unknown[],
    unsubscribe: string,
    onNotice: (result: unknown) => void,
    options?: RequestOptions,
  ): Promise<() => void>
  close(): void
}

export interface RequestOptions {
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
}

export interface RpcDeps {
  readonly clock: Clock
  /** Deadline of one request. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** The node answered a request with an error of its own: overloaded or just started, it may do better the next time. */
export class RpcError extends TargonError {
  constructor(
    readonly method: string,
    readonly rpcCode: number,
    readonly rpcMessage: string,
    readonly data: string,
  ) {
    super(`The chain node answered ${method} with ${rpcCode}: ${rpcMessage}${data ? ` (${data})` : ''}.`, {
      code: 'CHAIN_RPC_ERROR',
      fault: 'unreachable',
      next: 'Try again, or use another endpoint by --subtensor.chain_endpoint.',
      facts: { method, rpcCode, data },
    })
  }
}

/** The metagraph of 1,024 neurons is 2.4 MB of hex, metadata 0.7 MB. */
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024
/** Notices that overtake the reply naming their subscription. */
const MAX_EARLY_NOTICES = 64

const messageSchema = z.object({
  id: z.union([z.number(), z.null()]).optional(),
  result: z.unknown().optional(),
  error: z
    .object({ code: z.number(), message: z.string().default(''), data: z.unknown().optional() })
    .optional(),
  method: z.string().optional(),
  params: z
    .object({ subscription: z.union([z.string(), z.number()]), result: z.unknown().optional() })
    .optional(),
})

type Message = z.infer<typeof messageSchema>

interface Waiter {
  readonly method: string
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

/** @throws TargonError CHAIN_CANNOT_CONNECT or DeadlineError when the endpoint cannot be reached in time. */
export async function openRpc(endpoint: string, deps: RpcDeps): Promise<Rpc> {
  const socket = new WebSocket(endpoint, {
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    followRedirects: false,
  })
  const connection = connect(endpoint, socket, deps)
  try {
    await withDeadline(deps.clock, `Connecting to ${endpoint}`, deps.timeoutMs, deps.signal, () =>
      Promise.race([
        new Promise<void>((resolve) => socket.once('open', () => resolve())),
        connection.closed.then((reason) => Promise.reject(cannotConnect(endpoint, reason))),
      ]),
    )
    return connection
  } catch (error) {
    connection.close()
    throw error
  }
}

function connect(endpoint: string, socket: WebSocket, deps: RpcDeps): Rpc {
  const waiters = new Map<number, Waiter>()
  const subscriptions = new Map<string, (result: unknown) => void>()
  const early = new Map<string, unknown[]>()
  let earlyCount = 0
  let nextId = 1
  let end: (reason: string) => void = () => {}
  let gone: string | undefined
  const closed = new Promise<string>((resolve) => {
    end = (reason) => {
      if (gone !== undefined) return
      gone = reason
      resolve(reason)
      subscriptions.clear()
      for (const waiter of waiters.values()) waiter.reject(connectionLost(endpoint, reason))
      waiters.clear()
      socket.terminate()
    }
  })
  socket.on('error', (error) => end(error.message))
  socket.on('close', (code, reason) =>
    end(reason.length > 0 ? reason.toString('utf8', 0, 120) : `code ${code}`),
  )
  socket.on('message', (data) => {
    const message = parseMessage(data)
    if (!message) return end('the endpoint sent something that is no JSON-RPC message')
    if (message.params !== undefined) deliver(String(message.params.subscription), message.params.result)
    else if (typeof message.id === 'number') settle(message.id, message)
  })

  function deliver(subscription: string, result: unknown): void {
    const onNotice = subscriptions.get(subscription)
    if (onNotice) onNotice(result)
    else if (earlyCount < MAX_EARLY_NOTICES) {
      earlyCount++
      early.set(subscription, [...(early.get(subscription) ?? []), result])
    }
  }

  function settle(id: number, message: Message): void {
    const waiter = waiters.get(id)
    if (!waiter) return
    waiters.delete(id)
    const { error } = message
    if (!error) {
      waiter.resolve(message.result)
      return
    }
    const data = typeof error.data === 'string' ? error.data : error.data ? JSON.stringify(error.data) : ''
    waiter.reject(new RpcError(waiter.method, error.code, error.message.slice(0, 500), data.slice(0, 500)))
  }

  async function request(method: string, params: readonly unknown[], options: RequestOptions = {}) {
    const id = nextId++
    const signal = options.signal ?? deps.signal
    // Many requests wait under one signal at a time; that is no leak.
    if (signal) setMaxListeners(0, signal)
    try {
      return await withDeadline(
        deps.clock,
        `${method} at ${endpoint}`,
        options.timeoutMs ?? deps.timeoutMs,
        signal,
        () =>
          new Promise<unknown>((resolve, reject) => {
            if (gone !== undefined) return reject(connectionLost(endpoint, gone))
            waiters.set(id, { method, resolve, reject })
            socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }), (error) => {
              if (error) end(error.message)
            })
          }),
      )
    } finally {
      waiters.delete(id)
    }
  }

  return {
    endpoint,
    closed,
    request,
    async subscribe(method, params, unsubscribe, onNotice, options) {
      const id = z.union([z.string(), z.number()]).parse(await request(method, params, options))
      const key = String(id)
      subscriptions.set(key, onNotice)
      const waiting = early.get(key) ?? []
      early.delete(key)
      earlyCount -= waiting.length
      for (const result of waiting) onNotice(result)
      return () => {
        // Best effort: the node forgets it anyway when the connection closes.
        if (subscriptions.delete(key) && gone === undefined) request(unsubscribe, [id]).catch(() => {})
      }
    },
    close: () => end('closed by this node'),
  }
}

function parseMessage(data: WebSocket.RawData): Message | undefined {
  try {
    const parsed = messageSchema.safeParse(JSON.parse(data.toString()))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

function cannotConnect(endpoint: string, reason: string): TargonError {
  return new TargonError(`Cannot connect to ${endpoint}: ${reason}.`, {
    code: 'CHAIN_CANNOT_CONNECT',
    fault: 'unreachable',
    next: 'Check the name and the network, or give several endpoints by --subtensor.chain_endpoint.',
    facts: { endpoint, reason },
  })
}

export function connectionLost(endpoint: string, reason: string): TargonError {
  return new TargonError(`The connection to ${endpoint} is gone: ${reason}.`, {
    code: 'CHAIN_CONNECTION_LOST',
    fault: 'unreachable',
    next: 'Check the endpoint, or give several by --subtensor.chain_endpoint.',
    facts: { endpoint, reason },
  })
}
