import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Check, Context, Finding } from '../../src/doctor/index.js'
import type { Change } from './doctor-rig.js'

/** One thing that is wrong: how to break it, the check that names it with its state, and what its text must say. */
export type Fault<Settings> = readonly [
  what: string,
  breakOne: () => Promise<Change<Settings>> | Change<Settings>,
  expected: string,
  fix: RegExp,
]

/** Checks whose findings are neither ok nor skipped, as `state check`, and what to do about them. */
export function troubleIn(findings: readonly Finding[]) {
  const trouble = findings.filter(({ state }) => state === 'warn' || state === 'fail')
  return {
    named: [...new Set(trouble.map(({ state, check }) => `${state} ${check}`))],
    text: trouble.map(({ saw, next }) => `${saw} → ${next}`).join('\n'),
  }
}

/**
 * The same checks, of which the slow one named `id` runs once and then repeats what it found: for faults that it does not look at.
 * Its first run must see a healthy server.
 */
export function askServersOnce<C extends Context>(
  checks: readonly Check<C>[],
  id: string,
): readonly Check<C>[] {
  return checks.map((check) => {
    if (check.id !== id) return check
    let found: ReturnType<typeof check.run> | undefined
    return {
      ...check,
      run: (context, signal) => {
        found ??= check.run(context, signal)
        return found
      },
    }
  })
}

/** Servers that a test starts and that end with it. */
export function createServers() {
  const servers: Server[] = []
  const listen = async (server: Server): Promise<number> => {
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return (server.address() as AddressInfo).port
  }
  return {
    listen,
    /** Relays to an engine; every answer is kept back until it is whole, and may be changed. @returns the relay's URL */
    relay: async (target: string, change: (path: string, body: string) => string = (_, body) => body) => {
      const server = createServer((incoming, outgoing) => {
        const { method, headers, url = '' } = incoming
        const relayed = request(`${target}${url}`, { method, headers }, (answer) => {
          const chunks: Buffer[] = []
          answer.on('data', (chunk) => chunks.push(chunk))
          answer.on('end', () => {
            const type = answer.headers['content-type'] ?? ''
            outgoing.writeHead(answer.statusCode ?? 500, { 'content-type': type })
            outgoing.end(change(url, Buffer.concat(chunks).toString('utf8')))
          })
        })
        relayed.on('error', () => outgoing.destroy())
        incoming.pipe(relayed)
      })
      return `http://127.0.0.1:${await listen(server)}`
    },
    close: () => {
      for (const server of servers) server.close()
    },
  }
}
