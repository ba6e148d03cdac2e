import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { type Clock, TargonError } from '../../../kernel/index.js'
import type { Chain } from '../node/index.js'
import { authorMethods } from './author-methods.js'
import { chainMethods, systemMethods } from './chain-methods.js'
import { developmentMethods, type SubnetActions } from './development-methods.js'
import type { Faults } from './faults.js'
import { type Methods, withoutParams } from './method.js'
import { neuronMethods } from './neuron-methods.js'
import { type Gate, type RpcModule, Session } from './session.js'
import { stateMethods } from './state-methods.js'
import { subscriptionsOf } from './subscriptions.js'

const MAX_MESSAGE_BYTES = 16 * 1024 * 1024
const HOST = '127.0.0.1'

export interface RpcServer {
  readonly url: string
  readonly httpUrl: string
  close(): Promise<void>
}

export interface RpcServerDeps {
  readonly chain: Chain
  readonly faults: Faults
  readonly actions: SubnetActions
  readonly clock: Clock
}

/**
 * Serves JSON-RPC on the loopback interface: over WebSocket with subscriptions, over HTTP POST without.
 *
 * @throws TargonError PORT_IN_USE
 */
export async function startRpcServer(
  { chain, faults, actions, clock }: RpcServerDeps,
  port: number,
): Promise<RpcServer> {
  const rpc = rpcModuleOf(chain, faults, actions)
  const stopping = new AbortController()
  const gate: Gate = async (method) => {
    if (method.startsWith('dev_')) return true
    const { delayMs, silent } = faults.settings
    if (delayMs > 0) await clock.sleep(delayMs, stopping.signal)
    return !silent
  }
  const http = createServer((request, response) => {
    answerPost(rpc, gate, request, response).catch(() => response.destroy())
  })
  const sockets = new WebSocketServer({ server: http, maxPayload: MAX_MESSAGE_BYTES })
  sockets.on('connection', (socket) => {
    if (faults.settings.refuseConnections) socket.terminate()
    else serveSocket(rpc, gate, faults, socket)
  })
  faults.onDrop.add(() => {
    for (const socket of sockets.clients) socket.terminate()
  })
  // `ws` re-emits the errors of the HTTP server, which are handled below.
  sockets.on('error', () => {})
  await new Promise<void>((resolve, reject) => {
    http.once('error', (error) => reject(listenError(error, port)))
    http.listen(port, HOST, resolve)
  })
  const address = http.address() as AddressInfo
  return {
    url: `ws://${HOST}:${address.port}`,
    httpUrl: `http://${HOST}:${address.port}`,
    close: async () => {
      stopping.abort()
      for (const socket of sockets.clients) socket.terminate()
      sockets.close()
      http.closeAllConnections()
      await new Promise<void>((resolve) => {
        http.close(() => resolve())
      })
    },
  }
}

/** Everything a client can call. */
function rpcModuleOf(chain: Chain, faults: Faults, actions: SubnetActions): RpcModule {
  const subscriptions = subscriptionsOf(chain, faults)
  const methods: Methods = {
    ...systemMethods(chain),
    ...chainMethods(chain),
    ...stateMethods(chain),
    ...neuronMethods(chain),
    ...authorMethods(chain, faults),
    ...developmentMethods(chain, faults, actions),
  }
  const unsubscribes = Object.values(subscriptions).map(({ unsubscribe }) => unsubscribe)
  const names = [
    'rpc_methods',
    ...Object.keys(methods),
    ...Object.keys(subscriptions),
    ...unsubscribes,
  ].sort()
  return { methods: { ...methods, rpc_methods: withoutParams(() => ({ methods: names })) }, subscriptions }
}

function serveSocket(rpc: RpcModule, gate: Gate, faults: Faults, socket: WebSocket): void {
  const session = new Session(rpc, gate, (message) => {
    if (!faults.settings.silent && socket.readyState === socket.OPEN) socket.send(message)
  })
  socket.on('message', (data) => {
    session.handle(String(data)).then(
      (answer) => {
        if (answer !== undefined && socket.readyState === socket.OPEN) socket.send(answer)
      },
      () => socket.terminate(),
    )
  })
  socket.on('close', () => session.close())
  socket.on('error', () => {})
}

async function answerPost(
  rpc: RpcModule,
  gate: Gate,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_MESSAGE_BYTES) {
      response.writeHead(413).end()
      return
    }
    chunks.push(chunk)
  }
  const answer = await new Session(rpc, gate).handle(Buffer.concat(chunks).toString('utf8'))
  response.writeHead(200, { 'content-type': 'application/json' }).end(answer ?? '')
}

function listenError(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code !== 'EADDRINUSE') return error
  return new TargonError(
    `The development chain cannot listen on ${HOST}:${port}: the port is already in use.`,
    {
      code: 'PORT_IN_USE',
      fault: 'usage',
      next: 'Stop the other process or choose another port.',
      facts: { port },
    },
    { cause: error },
  )
}
