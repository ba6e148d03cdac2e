import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawnSubject } from '../miner/processes.js'
import { findProgram, printedVersion } from './installed.js'
import { freePort, programFolder, subjectOf, untilListening } from './listening.js'
import type { Peer } from './peer.js'

/** nginx as an operator would configure it in front of vLLM: one worker, no buffering. */
export const nginx: Peer = {
  name: 'nginx',
  does: 'forwards bytes',
  version: () => {
    const program = findProgram('nginx')
    return program === undefined ? undefined : printedVersion(program, '-v')
  },
  start: async (upstreamPort) => {
    const program = findProgram('nginx')
    if (program === undefined) return undefined
    const folder = programFolder('nginx')
    const port = await freePort()
    const file = join(folder.path, 'nginx.conf')
    writeFileSync(file, configuration(folder.path, port, upstreamPort))
    const child = spawnSubject(program, ['-p', folder.path, '-c', file])
    await untilListening('nginx', child, port)
    return subjectOf('nginx', child, port, folder.remove)
  },
}

function configuration(folder: string, port: number, upstreamPort: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (one) => `${one}_temp_path ${folder}/${one};`,
  )
  return `daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 4096; }
http { access_log off; ${temporary.join(' ')} keepalive_requests 1000000; client_body_buffer_size 1m;
upstream up { server 127.0.0.1:${upstreamPort}; keepalive 512; keepalive_requests 1000000; }
server { listen 127.0.0.1:${port}; location / { proxy_pass http://up; proxy_http_version 1.1;
proxy_set_header Connection ""; proxy_buffering off; } } }`
}
