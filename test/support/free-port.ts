import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'

/** Start of the range of ephemeral ports, which the system assigns by itself. */
const [firstEphemeral = 32_768] = readRange()
const LOWEST = 10_000

/**
 * A free port for a process that binds it later. It is below the ephemeral range, so that the system does not assign it to
 * another connection or server in the meantime.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (firstEphemeral - LOWEST))
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

function readRange(): number[] {
  try {
    const range = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
    return range.trim().split(/\s+/).map(Number)
  } catch {
    return []
  }
}
