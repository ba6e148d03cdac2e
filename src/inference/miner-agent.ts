import { Agent } from 'undici'

/**
 * Connections to miners: no limit on how many, small heads, and no deadlines of undici's own but one that ends a connection
 * attempt nobody waits for any more.
 */
export function createMinerAgent(): Agent {
  return new Agent({
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: 16 * 1024,
    pipelining: 1,
    allowH2: false,
    connect: { timeout: 10_000 },
  })
}
