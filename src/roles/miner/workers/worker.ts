import { once } from 'node:events'
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import {
  allowDistantHosts,
  type Clock,
  createFailureBuckets,
  every,
  type FailureBuckets,
  initSr25519,
  type Log,
  messageOf,
} from '../../../kernel/index.js'
import { createDeadlines, type FollowingRouter, openFollowingRouter } from '../../../routing/index.js'
import type { CallerStanding } from '../admission/index.js'
import { createHttpServer, openServing, readLimits, type Serving } from '../serving/index.js'
import { createRemoteGate, type RemoteGate } from './remote-gate.js'
import { createRemotePlaces, type RemotePlaces } from './remote-places.js'
import type { ToPrimary } from './to-primary.js'
import type { ToWorker, WorkerState } from './to-worker.js'
import { createWorkerEvents } from './worker-events.js'
import { createWorkerLog } from './worker-log.js'

/** How often a worker reports what it measures of its process. */
const REPORT_MS = 250

/** Requests to refresh are sent at most this often; the primary process refreshes far less often. */
const REFRESH_MS = 1000

export interface WorkerDeps {
  readonly clock: Clock
  readonly tell: (message: ToPrimary) => void
  /** Of this process. */
  readonly usage: () => { readonly cpuSeconds: number; readonly memoryBytes: number }
  /** Called when everything is closed and reported. */
  readonly onStopped: () => void
}

type Start = Extract<ToWorker, { t: 'start' }>

/** Answers the callers whose connections it is given, and asks the primary process for what one process must decide. */
export class Worker {
  readonly #deps: WorkerDeps
  readonly #log: Log
  readonly #gate: RemoteGate
  readonly #sharedPlaces: RemotePlaces
  readonly #router: FollowingRouter
  readonly #serving: Serving
  readonly #server: Server
  readonly #failures: FailureBuckets
  readonly #known: Known
  readonly #stopping: AbortController
  readonly #sockets = new Set<Socket>()

  private constructor(deps: WorkerDeps, parts: Parts) {
    this.#deps = deps
    this.#log = parts.log
    this.#gate = parts.gate
    this.#sharedPlaces = parts.sharedPlaces
    this.#router = parts.router
    this.#serving = parts.serving
    this.#failures = parts.failures
    this.#known = parts.known
    this.#stopping = parts.stopping
    this.#server = createHttpServer(parts.serving.http)
    // Node enforces its time limits from this event on; this server never listens, since it is passed its connections.
    this.#server.emit('listening')
  }

  static async start(deps: WorkerDeps, start: Start): Promise<Worker> {
    allowDistantHosts()
    await initSr25519()
    const parts = await openParts(deps, start)
    const worker = new Worker(deps, parts)
    void every(
      deps.clock,
      REPORT_MS,
      parts.stopping.signal,
      async () => worker.#report(),
      () => {},
    )
    deps.tell({ t: 'ready' })
    return worker
  }

  /** Serves a connection that the primary process accepted. @param onClosed called when it has closed */
  accept(socket: Socket, onClosed: () => void): void {
    this.#sockets.add(socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      onClosed()
    })
    socket.setNoDelay(true)
    // As an HTTP server sets it for connections that it accepts: a caller may close its side after the request.
    socket.allowHalfOpen = true
    this.#server.emit('connection', socket)
  }

  receive(message: ToWorker): void {
    switch (message.t) {
      case 'verdict':
        return void this.#gate.verdict(message.id, message.verdict, message.url)
      case 'place':
        return void this.#gate.place(message.id, message.isGranted)
      case 'reserved':
      case 'not-reserved':
        return void this.#sharedPlaces.answer(message.id, message)
      case 'room':
        return void this.#gate.setRoom(message.hotkey, message.hasRoom)
      case 'failed':
        return void this.#failures.fail(message.address)
      case 'state':
        return void this.#apply(message.id, message.state)
      case 'stop':
        void this.#stop()
    }
  }

  #apply(id: number, state: WorkerState): void {
    const { tell } = this.#deps
    const pending = this.#serving.admission.pending
    try {
      applyState(state, this.#known, this.#router)
      if (state.policy !== undefined) this.#serving.setPolicy(state.policy)
      tell({ t: 'applied', id, pending })
    } catch (error) {
      tell({ t: 'applied', id, pending, error: messageOf(error) })
    }
  }

  #report(): void {
    const { tell, usage } = this.#deps
    const pending = this.#serving.admission.pending
    tell({ t: 'report', pending, ...usage(), alive: this.#router.aliveAges() })
  }

  async #stop(): Promise<void> {
    this.#server.close(() => {})
    const closed = [...this.#sockets].map((socket) => once(socket, 'close'))
    for (const socket of this.#sockets) socket.destroy()
    try {
      await Promise.all(closed)
      await this.#router.close()
      await this.#serving.close()
    } catch (error) {
      this.#log.warn(
        { event: 'close-failed', part: 'worker', err: error },
        'could not close a resource cleanly',
      )
    }
    this.#report()
    this.#stopping.abort()
    this.#deps.onStopped()
  }
}

/** What the primary process has sent about the subnet and the miner. */
interface Known {
  callers: ReadonlyMap<string, CallerStanding>
  isExpired: boolean
  isDraining: boolean
}

interface Parts {
  readonly log: Log
  readonly gate: RemoteGate
  readonly sharedPlaces: RemotePlaces
  readonly router: FollowingRouter
  readonly serving: Serving
  readonly failures: FailureBuckets
  readonly known: Known
  readonly stopping: AbortController
}

async function openParts(
  { clock, tell }: WorkerDeps,
  { self, settings, state, isDebug }: Start,
): Promise<Parts> {
  const stopping = new AbortController()
  const log = createWorkerLog(tell, isDebug)
  const limits = readLimits(settings)
  const deadlines = createDeadlines(clock, stopping.signal)
  const remote = { clock, deadlines, tell, queueTimeoutMs: limits.queueTimeoutMs, ahead: new WeakMap() }
  const [gate, sharedPlaces] = [createRemoteGate(remote), createRemotePlaces(remote)]
  const router = openFollowingRouter({ clock, log, limits, sharedPlaces })
  const known: Known = { callers: new Map(), isExpired: false, isDraining: false }
  let refreshAskedAt = Number.NEGATIVE_INFINITY
  const failures = createFailureBuckets(clock, settings['max-failed-checks'])
  applyState(state, known, router)
  const serving = await openServing(settings, {
    ...createWorkerEvents(tell),
    ...{ clock, log, deadlines, self, gate, router },
    failures: {
      isExhausted: failures.isExhausted,
      fail: (address) => {
        failures.fail(address)
        tell({ t: 'failed', address: address.slice(0, 100) })
      },
    },
    registration: {
      find: (hotkey) => known.callers.get(hotkey),
      isExpired: () => known.isExpired,
      refreshSoon: () => {
        if (clock.monotonic() - refreshAskedAt < REFRESH_MS) return
        refreshAskedAt = clock.monotonic()
        tell({ t: 'refresh' })
      },
    },
    isDraining: () => known.isDraining,
  })
  return { log, gate, sharedPlaces, router, serving, failures, known, stopping }
}

function applyState(state: WorkerState, known: Known, router: FollowingRouter): void {
  if (state.neurons) known.callers = new Map(state.neurons.map((one) => [one.hotkey, one]))
  known.isExpired = state.isExpired ?? known.isExpired
  known.isDraining = state.isDraining ?? known.isDraining
  if (state.upstreams) router.follow(state.upstreams)
}
