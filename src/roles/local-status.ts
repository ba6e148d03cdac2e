import type { z } from 'zod'
import { type Clock, messageOf, parseJson, TargonError, withDeadline } from '../kernel/index.js'

const TIMEOUT_MS = 5000

/**
 * Asks the neuron that runs on this machine for its status.
 *
 * @throws TargonError STATUS_PORT_UNKNOWN (usage) for port 0, NEURON_NOT_RUNNING when nobody answers there,
 * STATUS_UNREADABLE when what answers is something else.
 */
export async function readLocalStatus<T>(
  neuron: 'miner' | 'validator',
  port: number,
  schema: z.ZodType<T>,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<T> {
  if (port === 0)
    throw new TargonError('The status port is 0, which is a different one at each start.', {
      code: 'STATUS_PORT_UNKNOWN',
      fault: 'usage',
      next: `Give the port with --metrics.port; the ${neuron} logs it as "status server listening".`,
    })
  const url = `http://127.0.0.1:${port}/status`
  const text = await withDeadline(clock, `GET ${url}`, TIMEOUT_MS, signal, async (inner) => {
    const response = await fetch(url, { signal: inner, redirect: 'error' })
    return await response.text()
  }).catch((cause: unknown) => {
    if (signal.aborted) throw cause
    throw new TargonError(
      `No ${neuron} answers on 127.0.0.1:${port}: ${reasonOf(cause)}.`,
      {
        code: 'NEURON_NOT_RUNNING',
        fault: 'runtime',
        next: `Start it, or give its status port with --metrics.port.`,
        facts: { port },
      },
      { cause },
    )
  })
  const parsed = schema.safeParse(parseJson(text))
  if (parsed.success) return parsed.data
  throw new TargonError(`What answers on 127.0.0.1:${port} is not the status of a ${neuron}.`, {
    code: 'STATUS_UNREADABLE',
    fault: 'usage',
    next: 'Give the right port with --metrics.port, and use the same version of targon for both.',
    facts: { port },
  })
}

function reasonOf(error: unknown): string {
  return error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error)
}
