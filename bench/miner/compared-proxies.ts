import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PYTHON } from './figures.js'
import { meter, type Subject, spawnSubject } from './processes.js'

/** nginx as an operator would configure it in front of vLLM: one worker, no buffering. Undefined if not installed. */
export async function startNginx(upstreamPort: number): Promise<Subject | undefined> {
  if (spawnSync('nginx', ['-v'], { stdio: 'ignore' }).status !== 0) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'bench-nginx-'))
  const port = await freePort()
  const file = join(folder, 'nginx.conf')
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (one) => `${one}_temp_path ${folder}/${one};`,
  )
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 4096; }
http { access_log off; ${temporary.join(' ')} keepalive_requests 1000000; client_body_buffer_size 1m;
upstream up { server 127.0.0.1:${upstreamPort}; keepalive 512; keepalive_requests 1000000; }
server { listen 127.0.0.1:${port}; location / { proxy_pass http://up; proxy_http_version 1.1;
proxy_set_header Connection ""; proxy_buffering off; } } }`,
  )
  const child = spawnSubject('nginx', ['-p', folder, '-c', file])
  await untilListening(port)
  return {
    name: 'nginx',
    port,
    ...meter(child.pid ?? 0),
    stop: () => {
      child.kill('SIGTERM')
      child.once('exit', () => rmSync(folder, { recursive: true, force: true }))
    },
  }
}

/** A proxy built like the original miner. Undefined if Python or one of its packages is missing. */
export async function startPython(upstreamPort: number): Promise<Subject | undefined> {
  const pythons = ['python3', '/usr/bin/python3']
  const hasPackages = (python: string) =>
    spawnSync(python, ['-c', 'import fastapi, httpx, uvicorn'], { stdio: 'ignore' }).status === 0
  const python = pythons.find(hasPackages)
  if (python === undefined) return undefined
  const port = await freePort()
  const script = fileURLToPath(new URL('./pass_through.py', import.meta.url))
  const child = spawnSubject(python, [script, `http://127.0.0.1:${upstreamPort}`, String(port)])
  await untilListening(port)
  return { name: PYTHON, port, ...meter(child.pid ?? 0), stop: () => void child.kill('SIGKILL') }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address ? address.port : 0
}

const START_TRIES = 100
const TRY_MS = 100

async function untilListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < START_TRIES; attempt++) {
    const socket = connect(port, '127.0.0.1')
    const isListening = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    })
    socket.destroy()
    if (isListening) return
    await new Promise((resolve) => setTimeout(resolve, TRY_MS))
  }
  throw new Error(`nothing listens on port ${port}`)
}
