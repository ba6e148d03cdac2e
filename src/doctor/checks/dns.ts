import { createConnection, isIP } from 'node:net'
import { messageOf, withDeadline } from '../../kernel/index.js'
import type { Check, Context } from '../context.js'
import { fail, ok, type Seen, warn } from '../finding.js'
import type { HostAddress } from '../machine.js'

const LOOKUP_MS = 5000
const CONNECT_MS = 5000

/**
 * Resolves the host names that a neuron uses, and connects to one address of each family.
 *
 * @param spareable addresses without which the neuron runs all the same
 */
export function dnsCheck<C extends Context>(
  serversOf: (context: C) => Promise<readonly string[]>,
  spareable: (context: C) => readonly string[] = () => [],
): Check<C> {
  return {
    id: 'dns',
    title: 'the addresses of host names',
    run: async (context, signal) => {
      const servers = new Map<string, URL>()
      const needed = new Set<string>()
      const spared = new Set(spareable(context))
      for (const address of await serversOf(context)) {
        const url = new URL(address)
        if (isIP(hostOf(url)) === 0) servers.set(url.host, url)
        if (!spared.has(address)) needed.add(hostOf(url))
      }
      const seen = await Promise.all(
        [...servers.values()].map((url) =>
          examineHost(url, needed.has(hostOf(url)) ? fail : warn, context, signal),
        ),
      )
      const found = seen.flat()
      if (found.length > 0) return found
      if (servers.size === 0) return [ok('No host names are in use, only addresses.')]
      return [ok(`${[...servers.keys()].join(', ')} resolve, and every family of addresses connects.`)]
    },
  }
}

async function examineHost(
  url: URL,
  weigh: typeof fail | typeof warn,
  context: Context,
  signal: AbortSignal,
): Promise<Seen[]> {
  const { machine, clock } = context
  const host = hostOf(url)
  let addresses: readonly HostAddress[]
  try {
    addresses = await withDeadline(clock, `looking up ${host}`, LOOKUP_MS, signal, () => machine.lookup(host))
  } catch (error) {
    signal.throwIfAborted()
    return [
      weigh(
        `The host name ${host} cannot be resolved: ${messageOf(error)}.`,
        'Check the name, and the name servers of this machine (/etc/resolv.conf).',
      ),
    ]
  }
  const firsts = [4, 6].flatMap((family) => addresses.find((one) => one.family === family) ?? [])
  // With one family, whether it connects is the finding of the check that uses it.
  if (firsts.length < 2) return []
  const reached = await Promise.all(firsts.map((one) => connects(one.address, portOf(url), clock, signal)))
  if (reached.every((one) => one) || !reached.some((one) => one)) return []
  const lost = firsts[reached.indexOf(false)]
  return [
    warn(
      `${host} has addresses of IPv4 and IPv6, but IPv${lost?.family ?? 6} does not connect (${lost?.address ?? ''}): each new connection may wait for it first.`,
      `Repair IPv${lost?.family ?? 6} on this machine, or turn it off.`,
    ),
  ]
}

function connects(
  host: string,
  port: number,
  clock: Context['clock'],
  signal: AbortSignal,
): Promise<boolean> {
  return withDeadline(
    clock,
    `connecting to ${host}`,
    CONNECT_MS,
    signal,
    (own) =>
      new Promise<boolean>((resolve) => {
        const socket = createConnection({ host, port, signal: own })
        const end = (isReached: boolean) => {
          socket.destroy()
          resolve(isReached)
        }
        socket.once('connect', () => end(true))
        socket.once('error', () => end(false))
      }),
  ).catch(() => {
    signal.throwIfAborted()
    return false
  })
}

const PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'ws:': 80, 'https:': 443, 'wss:': 443 }

function portOf({ port, protocol }: URL): number {
  return port === '' ? (PORTS[protocol] ?? 443) : Number(port)
}

/** An IPv6 address without its brackets. */
function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '')
}
