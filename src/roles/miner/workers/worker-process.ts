/**
 * The program of a worker process. It ignores signals, which a terminal or supervisor may send to the whole process group: the
 * primary process says when to stop. When the primary ends, so does this process.
 */
import type { Socket } from 'node:net'
import { systemClock } from '../../../kernel/index.js'
import { createBatchReader, createOutbox } from './batches.js'
import type { ToPrimary } from './to-primary.js'
import { passedConnection, type ToWorker, toWorker } from './to-worker.js'
import { Worker } from './worker.js'
import { describeError } from './worker-log.js'

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {})
process.once('disconnect', () => process.exit(0))

const send = (batch: readonly ToPrimary[], onSent = () => {}) => {
  if (process.connected) process.send?.(batch, undefined, undefined, onSent)
  else onSent()
}
const outbox = createOutbox<ToPrimary>(send)
const readBatch = createBatchReader<ToWorker>(toWorker)

/** Sends what has been collected, then ends. */
function exit(status: number): void {
  outbox.flush()
  send([], () => process.exit(status))
}

process.on('uncaughtException', (error) => {
  const fields = { event: 'uncaught-error', err: describeError(error, true) }
  outbox.tell({ t: 'log', level: 'error', fields, message: 'uncaught error: the worker exits' })
  exit(1)
})

const usage = () => {
  const { user, system } = process.cpuUsage()
  return { cpuSeconds: (user + system) / 1e6, memoryBytes: process.memoryUsage.rss() }
}

let worker: Worker | undefined

async function receive(message: ToWorker): Promise<void> {
  if (worker !== undefined) return worker.receive(message)
  if (message.t === 'stop') return exit(0)
  if (message.t !== 'start') return
  worker = await Worker.start(
    { clock: systemClock, tell: outbox.tell, usage, onStopped: () => exit(0) },
    message,
  )
}

function accept(message: unknown, socket: Socket): void {
  const passed = passedConnection.safeParse(message)
  if (!passed.success) return void socket.destroy()
  const id = passed.data.connection
  const onClosed = () => outbox.tell({ t: 'closed', id })
  if (worker !== undefined) return void worker.accept(socket, onClosed)
  socket.destroy()
  onClosed()
}

process.on('message', (message, socket) => {
  if (socket !== undefined && socket !== null) return accept(message, socket as Socket)
  const connection = passedConnection.safeParse(message)
  // The caller disconnected before the connection arrived here.
  if (connection.success) return outbox.tell({ t: 'closed', id: connection.data.connection })
  const batch = readBatch(message)
  if (batch === undefined) throw new Error('The message of the primary process is invalid.')
  for (const one of batch) void receive(one)
})
