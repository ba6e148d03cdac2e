import type { Counter, Gauge, Histogram } from 'prom-client'
import { type Maker, SECONDS } from './metric-maker.js'

/** What only a miner counts. */
export interface OwnMinerMetrics {
  readonly requests: Counter<'route' | 'outcome'>
  readonly rejections: Counter<'reason'>
  readonly upstreamDuration: Histogram
  readonly timeToFirstByte: Histogram
  readonly inFlight: Gauge
  readonly modelRequests: Counter<'model' | 'outcome'>
  readonly incentive: Gauge
  readonly upstreamHealthy: Gauge<'upstream'>
  readonly upstreamInFlight: Gauge<'upstream'>
  readonly workersReady: Gauge
  readonly workerRestarts: Counter<'worker'>
  readonly workerCpu: Counter<'worker'>
  readonly workerMemory: Gauge<'worker'>
}

export function minerMetrics(make: Maker): OwnMinerMetrics {
  const requests = make.counter('targon_miner_requests_total', 'Requests by route and outcome.', [
    'route',
    'outcome',
  ])
  // Exported from the start, because an alert on "not asked" sees no increase of a missing series.
  requests.inc({ route: 'chat', outcome: 'answered' }, 0)
  return {
    requests,
    rejections: make.counter('targon_epistula_rejections_total', 'Requests rejected at admission.', [
      'reason',
    ]),
    upstreamDuration: make.histogram(
      'targon_miner_upstream_duration_seconds',
      'Time from sending a request upstream to the last byte of the response.',
      SECONDS,
    ),
    timeToFirstByte: make.histogram(
      'targon_miner_first_byte_seconds',
      'Time from sending a request upstream to the first byte of the response.',
      SECONDS,
    ),
    modelRequests: make.counter(
      'targon_miner_model_requests_total',
      'Requests by served model and by whether the model server answered them: served or failed.',
      ['model', 'outcome'],
    ),
    incentive: make.gauge(
      'targon_miner_incentive_ratio',
      'Incentive of this miner in the last metagraph, from 0 to 1.',
    ),
    inFlight: make.gauge('targon_miner_in_flight', 'Requests in flight.'),
    upstreamHealthy: make.gauge(
      'targon_miner_upstream_healthy',
      '1 if the upstream accepts requests, otherwise 0.',
      ['upstream'],
    ),
    upstreamInFlight: make.gauge('targon_miner_upstream_in_flight', 'Requests in flight at the upstream.', [
      'upstream',
    ]),
    ...workerMetrics(make),
  }
}

type WorkerMetrics = Pick<OwnMinerMetrics, 'workersReady' | 'workerRestarts' | 'workerCpu' | 'workerMemory'>

function workerMetrics(make: Maker): WorkerMetrics {
  return {
    workersReady: make.gauge(
      'targon_miner_workers_ready',
      'Workers that answer callers; 0 when the miner answers them itself.',
    ),
    workerRestarts: make.counter(
      'targon_miner_worker_restarts_total',
      'Times that a new process was started for a worker that had exited.',
      ['worker'],
    ),
    workerCpu: make.counter(
      'targon_miner_worker_cpu_seconds_total',
      'CPU time of a worker in seconds, over all of its processes.',
      ['worker'],
    ),
    workerMemory: make.gauge('targon_miner_worker_memory_bytes', 'Resident memory of a worker.', ['worker']),
  }
}

/** Sets the metrics of the workers. */
export function noteWorkers(
  { workersReady, workerRestarts, workerCpu, workerMemory }: WorkerMetrics,
  workers: readonly {
    readonly id: number
    readonly state: string
    readonly restarts: number
    readonly cpuSeconds: number
    readonly memoryBytes: number
  }[],
): void {
  workersReady.set(workers.filter(({ state }) => state === 'ready').length)
  for (const metric of [workerRestarts, workerCpu, workerMemory]) metric.reset()
  for (const { id, restarts, cpuSeconds, memoryBytes } of workers) {
    const worker = String(id)
    workerRestarts.inc({ worker }, restarts)
    workerCpu.inc({ worker }, cpuSeconds)
    workerMemory.set({ worker }, memoryBytes)
  }
}
