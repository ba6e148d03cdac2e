import type { z } from 'zod'
import { type Clock, messageOf, parseJson, TargonError, withDeadline } from '../kernel/index.js'

const TIMEOUT_MS = 5000

/** What a status server of this machine answers; its body is undefined when it is no JSON. @throws when nothing responds */
export async function askStatusPort(
  port: number,
  path: string,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal, redirect: 'error' })
  return { status: response.status, body: parseJson(await response.text()) }
}

/**
 * Reads the status of the neuron that runs on this machine.
 *
 * @throws TargonError STATUS_PORT_UNKNOWN (usage) for port 0, NEURON_NOT_RUNNING when nothing responds on the port,
 * STATUS_UNREADABLE (usage) when the response is not the status of this role.
 */
export async function readLocalStatus<T>(
  neuron: 'miner' | 'validator' | 'hub' | 'neuron',
  port: number,
  schema: z.ZodType<T>,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<T> {
  if (port === 0)
    throw new TargonError('--metrics.port is 0, so the status port differs at every start.', {
      code: 'STATUS_PORT_UNKNOWN',
      fault: 'usage',
      next: `Set --metrics.port to the port that the ${neuron} logs with the event status-server-listening.`,
    })
  const { body } = await withDeadline(clock, `GET /status on port ${port}`, TIMEOUT_MS, signal, (inner) =>
    askStatusPort(port, '/status', inner),
  ).catch((cause: unknown) => {
    if (signal.aborted) throw cause
    throw new TargonError(
      `No ${neuron} responds on 127.0.0.1:${port}: ${messageOf(cause)}.`,
      {
        code: 'NEURON_NOT_RUNNING',
        fault: 'runtime',
        next: `Start the ${neuron}, or set --metrics.port to its status port.`,
        facts: { port },
      },
      { cause },
    )
  })
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  throw new TargonError(`127.0.0.1:${port} did not return the status of a ${neuron}.`, {
    code: 'STATUS_UNREADABLE',
    fault: 'usage',
    next: `Set --metrics.port to the status port of the ${neuron}, and use the same version of targon for both.`,
    facts: { port },
  })
}
