import { z } from 'zod'
import { type Clock, TargonError } from '../kernel/index.js'
import type { HubStatus } from './hub/index.js'
import { readLocalStatus } from './local-status.js'
import type { MinerStatus } from './miner/index.js'
import type { ValidatorStatus } from './validator/index.js'

/** The neurons that run on this machine. */
export interface RunningNeurons {
  readonly miner: MinerStatus | null
  readonly validator: ValidatorStatus | null
  readonly hub: HubStatus | null
}

/**
 * Asks each of the status ports which neuron answers there.
 *
 * @throws TargonError NEURON_NOT_RUNNING when none does, STATUS_UNREADABLE when only other programs do
 */
export async function readNeurons(
  ports: readonly number[],
  context: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<RunningNeurons> {
  const { hubStatus } = await import('./hub/index.js')
  const { minerStatus } = await import('./miner/index.js')
  const { validatorStatus } = await import('./validator/index.js')
  const schema = z.union([minerStatus, validatorStatus, hubStatus])
  const distinct = [...new Set(ports)]
  const answers = await Promise.allSettled(
    distinct.map((port) => readLocalStatus('neuron', port, schema, context)),
  )
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
  const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []))
  if (found.length === 0) throw refused.length === 1 ? refused[0] : noneOf(distinct, refused)
  return {
    miner: found.find((status) => status.role === 'miner') ?? null,
    validator: found.find((status) => status.role === 'validator') ?? null,
    hub: found.find((status) => status.role === 'hub') ?? null,
  }
}

/** Another kind of error, such as a stop, is more telling than a neuron that does not run. */
function noneOf(ports: readonly number[], refused: readonly unknown[]): unknown {
  const isAbsent = (error: unknown) => error instanceof TargonError && error.code === 'NEURON_NOT_RUNNING'
  const other = refused.find((error) => !isAbsent(error))
  if (other !== undefined) return other
  return new TargonError(
    `No neuron responds on 127.0.0.1, ports ${listed(ports)}.`,
    {
      code: 'NEURON_NOT_RUNNING',
      fault: 'runtime',
      next: 'Start a miner, a validator or a hub, or set --metrics.port to the status port of the one that runs.',
      facts: { ports },
    },
    { cause: refused[0] },
  )
}

function listed(ports: readonly number[]): string {
  return [ports.slice(0, -1).join(', '), ports.at(-1)].filter((part) => part !== '').join(' and ')
}
