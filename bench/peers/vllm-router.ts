import { spawnSubject } from '../miner/processes.js'
import { findProgram, packageVersion } from './installed.js'
import { freePort, programFolder, subjectOf, untilListening } from './listening.js'
import type { Peer } from './peer.js'

const NAME = 'vllm-router'

/** The Rust router of the vLLM project with its cheapest policy. */
export const vllmRouter: Peer = {
  name: NAME,
  does: 'reads the body, checks no key',
  version: () => {
    const program = findProgram(NAME)
    return program === undefined ? undefined : packageVersion(program, NAME)
  },
  start: async (upstreamPort) => {
    const program = findProgram(NAME)
    if (program === undefined) return undefined
    const folder = programFolder(NAME)
    const [port, metricsPort] = [await freePort(), await freePort()]
    const child = spawnSubject(program, [
      ...['--host', '127.0.0.1', '--port', String(port)],
      ...['--worker-urls', `http://127.0.0.1:${upstreamPort}`, '--policy', 'round_robin'],
      ...['--worker-startup-check-interval', '1'],
      ...['--prometheus-host', '127.0.0.1', '--prometheus-port', String(metricsPort)],
      ...['--log-level', 'error', '--log-dir', folder.path],
    ])
    await untilListening(NAME, child, port)
    return subjectOf(NAME, child, port, folder.remove)
  },
}
