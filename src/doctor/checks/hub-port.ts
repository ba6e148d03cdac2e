import { once as onceEmitted } from 'node:events'
import { createServer, isIP } from 'node:net'
import { Agent, request } from 'undici'
import { hasCode, messageOf, withDeadline } from '../../kernel/index.js'
import type { Check, HubContext } from '../context.js'
import { factsOf } from '../facts.js'
import { fail, ok, type Seen } from '../finding.js'

const DIAL_MS = 8000

/** Asks the API of a running hub; while none runs, opens its ports for a moment. */
export const hubPortCheck: Check<HubContext> = {
  id: 'port',
  title: 'the answer of the hub’s port',
  run: async (context, signal) => {
    const running = await factsOf(context).running()
    if (running?.role === 'hub' && typeof running.url === 'string')
      return [await askHub(running.url, context, signal)]
    const { 'hub.ip': ip, 'hub.port': port, 'metrics.port': metricsPort } = context.settings
    const seen = [
      await tryPort(ip, port, 'Choose another address with --hub.ip and --hub.port.', signal),
      // What runs there is the finding of the check of the supervisor.
      ...(running ? [] : [await tryPort('127.0.0.1', metricsPort, 'Choose another --metrics.port.', signal)]),
    ]
    const failed = seen.flatMap((one) => one ?? [])
    const shown = isIP(ip) === 6 ? `[${ip}]` : ip
    return failed.length > 0 ? failed : [ok(`${shown}:${port} is free; the hub does not run now.`)]
  },
}

/** Undefined when a server can listen there. */
async function tryPort(
  host: string,
  port: number,
  next: string,
  signal: AbortSignal,
): Promise<Seen | undefined> {
  const server = createServer()
  try {
    server.listen(port, host)
    await onceEmitted(server, 'listening', { signal })
    return undefined
  } catch (error) {
    signal.throwIfAborted()
    if (hasCode(error, 'EADDRINUSE'))
      return fail(
        `Port ${port} of ${host} is in use, but no hub answers on --metrics.port.`,
        `${next.replace(/\.$/, '')}, or stop what listens there.`,
      )
    return fail(`Port ${port} of ${host} cannot be opened: ${messageOf(error)}.`, next)
  } finally {
    server.close()
  }
}

/** A request without a key is refused by the hub itself. A certificate is judged by another check. */
async function askHub(url: string, { clock }: HubContext, signal: AbortSignal): Promise<Seen> {
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } })
  try {
    const status = await withDeadline(clock, `the answer of ${url}`, DIAL_MS, signal, async (own) => {
      const answer = await request(`${url}/v1/models`, { dispatcher, signal: own })
      await answer.body.dump()
      return answer.statusCode
    })
    if (status === 401) return ok(`The API answers on ${url}, and asks for a key.`)
    return fail(
      `${url} answers a request without a key with ${status}, which a hub does not.`,
      'Find out which program listens there.',
    )
  } catch (error) {
    signal.throwIfAborted()
    return fail(
      `The hub runs, but its API does not answer on ${url}: ${messageOf(error).replace(/\.$/, '')}.`,
      'Read the log of the hub, and start it again.',
    )
  } finally {
    await dispatcher.destroy()
  }
}
