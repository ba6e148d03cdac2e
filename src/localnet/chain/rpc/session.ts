import { z } from 'zod'
import { messageOf } from '../../../kernel/index.js'
import { RpcError } from '../node/index.js'
import type { Json, Methods } from './method.js'
import { positionalParams, requestParams } from './parameter-names.js'
import type { Subscription } from './subscriptions.js'

/** Runs before each call. Resolves to false when the request must stay unanswered. */
export type Gate = (method: string) => Promise<boolean>

/** All methods and subscriptions of the server, by name. */
export interface RpcModule {
  readonly methods: Methods
  readonly subscriptions: Readonly<Record<string, Subscription>>
}

/** Sends a message to the client. Absent on transports without notifications. */
export type Send = (message: string) => void

const requestId = z.union([z.number(), z.string(), z.null()])
const requestShape = z.object({ id: requestId.default(null), method: z.string(), params: requestParams })
type Id = z.output<typeof requestId>

/** A request with its parameters by position. */
interface Request {
  readonly id: Id
  readonly params: readonly unknown[]
}

/** A JSON-RPC 2.0 session with one client: calls, batches and subscriptions. */
export class Session {
  readonly #interface: RpcModule
  readonly #gate: Gate
  readonly #send: Send | undefined
  readonly #active = new Map<string, () => void>()
  readonly #unsubscribes: ReadonlySet<string>
  #lastSubscription = 0

  constructor(rpc: RpcModule, gate: Gate, send?: Send) {
    this.#interface = rpc
    this.#gate = gate
    this.#send = send
    this.#unsubscribes = new Set(Object.values(rpc.subscriptions).map(({ unsubscribe }) => unsubscribe))
  }

  /** Answers a message. Undefined when there is nothing to send, or `send` has already sent it. */
  async handle(text: string): Promise<string | undefined> {
    let parsed: unknown
    try {
      parsed = JSON.parse(text)
    } catch {
      return JSON.stringify(failure(null, new RpcError(-32700, 'Parse error')))
    }
    if (!Array.isArray(parsed)) {
      const answer = await this.#answer(parsed)
      return answer === undefined ? undefined : JSON.stringify(answer)
    }
    if (parsed.length === 0) return JSON.stringify(failure(null, new RpcError(-32600, 'Invalid request')))
    const answers = await Promise.all(parsed.map((request) => this.#answer(request)))
    const present = answers.filter((answer) => answer !== undefined)
    return present.length > 0 ? JSON.stringify(present) : undefined
  }

  /** Ends all subscriptions. */
  close(): void {
    for (const stop of this.#active.values()) stop()
    this.#active.clear()
  }

  async #answer(raw: unknown): Promise<Json | undefined> {
    const request = requestShape.safeParse(raw)
    if (!request.success) return failure(idOf(raw), new RpcError(-32600, 'Invalid request'))
    const { id, method } = request.data
    if (!(await this.#gate(method))) return undefined
    try {
      const params = positionalParams(method, request.data.params)
      const subscription = this.#interface.subscriptions[method]
      if (subscription) return this.#subscribe({ id, params }, subscription)
      if (this.#unsubscribes.has(method)) return success(id, this.#unsubscribe(params[0]))
      const run = Object.hasOwn(this.#interface.methods, method) ? this.#interface.methods[method] : undefined
      if (!run) throw new RpcError(-32601, 'Method not found')
      return success(id, await run(params))
    } catch (error) {
      return failure(id, error)
    }
  }

  /** Sends the subscription id before the first notification. A subscription that fails to start returns an error. */
  #subscribe({ id, params }: Request, subscription: Subscription): undefined {
    const send = this.#send
    if (!send) throw new RpcError(-32601, 'Subscriptions are not available on this transport')
    const key = `dev${(++this.#lastSubscription).toString(36).padStart(13, '0')}`
    const queued: Json[] = []
    let isOpen = false
    const push = (result: Json) => {
      if (isOpen) send(notification(subscription.event, key, result))
      else queued.push(result)
    }
    this.#active.set(key, subscription.start(push, params))
    send(JSON.stringify(success(id, key)))
    isOpen = true
    for (const result of queued) send(notification(subscription.event, key, result))
  }

  #unsubscribe(key: unknown): boolean {
    const stop = typeof key === 'string' ? this.#active.get(key) : undefined
    if (!stop || typeof key !== 'string') return false
    stop()
    this.#active.delete(key)
    return true
  }
}

function notification(event: string, subscription: string, result: Json): string {
  return JSON.stringify({ jsonrpc: '2.0', method: event, params: { subscription, result } })
}

/** The id of a request that is not valid otherwise, so that its sender can match the error. */
function idOf(raw: unknown): Id {
  const parsed = z.object({ id: requestId }).safeParse(raw)
  return parsed.success ? parsed.data.id : null
}

function success(id: Id, result: Json): Json {
  return { jsonrpc: '2.0', id, result }
}

function failure(id: Id, error: unknown): Json {
  if (!(error instanceof RpcError)) {
    return { jsonrpc: '2.0', id, error: { code: -32603, message: 'Internal error', data: messageOf(error) } }
  }
  const { code, message, data } = error
  return { jsonrpc: '2.0', id, error: data === undefined ? { code, message } : { code, message, data } }
}
