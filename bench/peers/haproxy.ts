import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawnSubject } from '../miner/processes.js'
import { findProgram, printedVersion } from './installed.js'
import { freePort, programFolder, subjectOf, untilListening } from './listening.js'
import type { Peer } from './peer.js'

/** HAProxy with one thread, connections to the server kept and shared. */
export const haproxy: Peer = {
  name: 'HAProxy',
  does: 'forwards bytes',
  version: () => {
    const program = findProgram('haproxy')
    return program === undefined ? undefined : printedVersion(program, '-v')
  },
  start: async (upstreamPort) => {
    const program = findProgram('haproxy')
    if (program === undefined) return undefined
    const folder = programFolder('haproxy')
    const port = await freePort()
    const file = join(folder.path, 'haproxy.cfg')
    writeFileSync(file, configuration(port, upstreamPort))
    const child = spawnSubject(program, ['-db', '-f', file])
    await untilListening('HAProxy', child, port)
    return subjectOf('HAProxy', child, port, folder.remove)
  },
}

function configuration(port: number, upstreamPort: number): string {
  return `global
  maxconn 4096
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  option http-no-delay
  http-reuse always
listen bench
  bind 127.0.0.1:${port}
  server up 127.0.0.1:${upstreamPort}
`
}
