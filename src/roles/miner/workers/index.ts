/**
 * Worker processes that answer callers (`--workers`). In the primary process, worker-pool.ts has a worker-supervisor.ts for each
 * worker, which opens a worker-session.ts for each of its processes; worker-places.ts answers its questions. In the worker process,
 * worker.ts serves, and remote-gate.ts and remote-places.ts ask. Tests named after a behaviour: ipc.test.ts (remote-gate.ts,
 * worker-places.ts, to-primary.ts, to-worker.ts), workers.test.ts (worker.ts, worker-pool.ts, worker-supervisor.ts,
 * worker-session.ts, child.ts), primary.test.ts (worker-process.ts).
 */
export { openWorkers } from './worker-pool.js'
