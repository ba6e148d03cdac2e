import WebSocket from 'ws'
import { z } from 'zod'
import { createDeferred, messageOf, parseJson, TargonError, withDeadline } from '../kernel/index.js'
import type { LinkContext } from './context.js'

export interface RequestOptions {
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
}

/** The node returned an error. A node that is overloaded or has just started may succeed on the next attempt. */
export class RpcError extends TargonError {
  constructor(
    readonly method: string,
    readonly rpcCode: number,
    readonly rpcMessage: string,
    readonly data: string,
  ) {
    super(
      `The chain node returned error ${rpcCode} for ${method}: ${rpcMessage}${data ? ` (${data})` : ''}.`,
      {
        code: 'CHAIN_RPC_ERROR',
        fault: 'unreachable',
        next: 'Try again, or use another endpoint with --subtensor.chain_endpoint.',
        facts: { method, rpcCode, data },
      },
    )
  }
}

/** A metagraph of 1,024 neurons is 2.4 MB of hex, metadata 0.7 MB. */
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024
/** Values are hex text, a thousand of them in a page of keys; what is nested deeper or has more values is not parsed. */
const MESSAGE_JSON = { depth: 64, values: 1_000_000 }
/** Notices kept that arrive before the reply with their subscription id. */
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

interface PendingRequest {
  readonly method: string
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

/** @throws TargonError CHAIN_CANNOT_CONNECT or DeadlineError when the endpoint cannot be reached in time. */
export async function openRpc(endpoint: string, context: LinkContext): Promise<Rpc> {
  const socket = new WebSocket(endpoint, {
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    followRedirects: false,
  })
  const { clock, rpcTimeoutMs, signal } = context
  const connection = new Rpc(endpoint, socket, context)
  try {
    await withDeadline(clock, `Connecting to ${endpoint}`, rpcTimeoutMs, signal, () =>
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

/** One JSON-RPC connection to one endpoint. It never reconnects; that is for its owner to decide. */
export class Rpc {
  readonly endpoint: string
  readonly #socket: WebSocket
  readonly #context: LinkContext
  readonly #pending = new Map<number, PendingRequest>()
  readonly #subscriptions = new Map<string, (result: unknown) => void>()
  readonly #early = new Map<string, unknown[]>()
  readonly #closed = createDeferred<string>()
  #earlyCount = 0
  #nextId = 1
  #closeReason: string | undefined

  constructor(endpoint: string, socket: WebSocket, context: LinkContext) {
    this.endpoint = endpoint
    this.#socket = socket
    this.#context = context
    socket.on('error', (error) => this.#end(messageOf(error)))
    socket.on('close', (code, reason) =>
      this.#end(reason.length > 0 ? reason.toString('utf8', 0, 120) : `code ${code}`),
    )
    socket.on('message', (data) => {
      const message = parseMessage(data)
      if (!message) return this.#end('the endpoint sent a message that is not JSON-RPC')
      if (message.params !== undefined) {
        this.#deliver(String(message.params.subscription), message.params.result)
      } else if (typeof message.id === 'number') this.#settle(message.id, message)
    })
  }

  /** Resolves with the reason once the connection is closed; never rejects. */
  get closed(): Promise<string> {
    return this.#closed.promise
  }

  /** @throws RpcError when the node returns an error; TargonError CHAIN_CONNECTION_LOST; DeadlineError. */
  async request(method: string, params: readonly unknown[], options: RequestOptions = {}): Promise<unknown> {
    const { clock, rpcTimeoutMs } = this.#context
    const id = this.#nextId++
    const signal = options.signal ?? this.#context.signal
    const send = () =>
      new Promise<unknown>((resolve, reject) => {
        if (this.#closeReason !== undefined) return reject(connectionLost(this.endpoint, this.#closeReason))
        this.#pending.set(id, { method, resolve, reject })
        this.#socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }), (error) => {
          if (error) this.#end(messageOf(error))
        })
      })
    try {
      const timeoutMs = options.timeoutMs ?? rpcTimeoutMs
      return await withDeadline(clock, `${method} at ${this.endpoint}`, timeoutMs, signal, send)
    } finally {
      this.#pending.delete(id)
    }
  }

  /** Calls `onNotice` with every result until the connection closes or the returned function is called. */
  async subscribe(
    method: string,
    params: readonly unknown[],
    unsubscribe: string,
    onNotice: (result: unknown) => void,
    options?: RequestOptions,
  ): Promise<() => void> {
    const id = z.union([z.string(), z.number()]).parse(await this.request(method, params, options))
    const key = String(id)
    this.#subscriptions.set(key, onNotice)
    const early = this.#early.get(key) ?? []
    this.#early.delete(key)
    this.#earlyCount -= early.length
    for (const result of early) onNotice(result)
    return () => {
      // Best effort: the node drops the subscription anyway when the connection closes.
      if (this.#subscriptions.delete(key) && this.#closeReason === undefined) {
        this.request(unsubscribe, [id]).catch(() => {})
      }
    }
  }

  close(): void {
    this.#end('closed by this node')
  }

  #end(reason: string): void {
    if (this.#closeReason !== undefined) return
    this.#closeReason = reason
    this.#closed.resolve(reason)
    this.#subscriptions.clear()
    for (const { reject } of this.#pending.values()) reject(connectionLost(this.endpoint, reason))
    this.#pending.clear()
    this.#socket.terminate()
  }

  #deliver(subscription: string, result: unknown): void {
    const onNotice = this.#subscriptions.get(subscription)
    if (onNotice) onNotice(result)
    else if (this.#earlyCount < MAX_EARLY_NOTICES) {
      this.#earlyCount++
      this.#early.set(subscription, [...(this.#early.get(subscription) ?? []), result])
    }
  }

  #settle(id: number, { error, result }: Message): void {
    const pending = this.#pending.get(id)
    if (!pending) return
    this.#pending.delete(id)
    if (error) pending.reject(rpcError(pending.method, error))
    else pending.resolve(result)
  }
}

function rpcError(method: string, { code, message, data }: NonNullable<Message['error']>): RpcError {
  const text = typeof data === 'string' ? data : data ? JSON.stringify(data) : ''
  return new RpcError(method, code, message.slice(0, 500), text.slice(0, 500))
}

function parseMessage(data: WebSocket.RawData): Message | undefined {
  try {
    const parsed = messageSchema.safeParse(parseJson(data.toString(), MESSAGE_JSON))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

function cannotConnect(endpoint: string, reason: string): TargonError {
  return new TargonError(`Cannot connect to ${endpoint}: ${reason}.`, {
    code: 'CHAIN_CANNOT_CONNECT',
    fault: 'unreachable',
    next: 'Check the address and the network, or set several endpoints with --subtensor.chain_endpoint.',
    facts: { endpoint, reason },
  })
}

export function connectionLost(endpoint: string, reason: string): TargonError {
  return new TargonError(`Lost the connection to ${endpoint}: ${reason}.`, {
    code: 'CHAIN_CONNECTION_LOST',
    fault: 'unreachable',
    next: 'Check the endpoint, or set several with --subtensor.chain_endpoint.',
    facts: { endpoint, reason },
  })
}
