/**
 * Several processes that answer callers (`--workers`). crew.ts keeps them; worker.ts is what runs in each, remote-gate.ts and
 * remote-lender.ts how it asks; desk.ts answers. Tests named after a behaviour: ipc.test.ts (remote-gate.ts, desk.ts, to-primary.ts,
 * to-worker.ts), workers.test.ts (worker.ts, crew.ts, slot.ts, life.ts), primary.test.ts (worker-process.ts).
 */
export { openWorkers } from './crew.js'
