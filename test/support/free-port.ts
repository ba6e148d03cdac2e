import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'

/** Below them the system gives no port to anybody who does not ask for it by number. */
const [firstGiven = 32_768] = readRange()
const LEAST = 10_000

/**
 * A port for a process that is told its number and binds it later. It lies outside the ports the system hands out, so
 * that nobody gets it meanwhile for a connection or a server of theirs.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LEAST + Math.floor(Math.random() * (firstGiven - LEAST))
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
