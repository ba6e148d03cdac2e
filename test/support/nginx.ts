import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from './free-port.js'
import { listening } from './listening.js'
import { temporaryFolder } from './temporary-folder.js'

/** Debian installs it where the PATH of an ordinary user does not look. */
const PATH = `${process.env.PATH ?? ''}:/usr/sbin:/usr/local/sbin`
const env = { ...process.env, PATH }

export function hasNginx(): boolean {
  try {
    execFileSync('nginx', ['-v'], { env, stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** The parts of a page that it shows as configuration of nginx. */
export function nginxSnippets(page: string): string[] {
  return [...readFileSync(page, 'utf8').matchAll(/^```nginx\n(.*?)^```/gms)].map(([, text = '']) => text)
}

export interface Nginx {
  readonly url: string
  /** What it reported. */
  errors(): string
  stop(): Promise<void>
}

/**
 * Starts a real nginx with two workers.
 *
 * @param http what stands beside the server
 * @param server what stands in the server
 */
export async function startNginx(http: string, server: string): Promise<Nginx> {
  const folder = temporaryFolder('nginx')
  const port = await freePort()
  const errors = join(folder, 'error.log')
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const lines = [
    ...['daemon off;', 'worker_processes 2;', `pid ${join(folder, 'pid')};`, `error_log ${errors};`],
    ...(process.getuid?.() === 0 ? ['user root;'] : []),
    ...['events { worker_connections 4096; }', 'http {', 'access_log off;'],
    ...temporary.map((name) => `${name}_temp_path ${join(folder, name)};`),
    ...[http, 'server {', `listen 127.0.0.1:${port};`, server, '}', '}'],
  ]
  const config = join(folder, 'nginx.conf')
  writeFileSync(config, `${lines.join('\n')}\n`)
  execFileSync('nginx', ['-t', '-q', '-p', folder, '-c', config], { env })
  const child = spawn('nginx', ['-p', folder, '-c', config], { env, stdio: 'ignore' })
  const exited = once(child, 'exit')
  await listening(child, port)
  return {
    url: `http://127.0.0.1:${port}`,
    errors: () => readFileSync(errors, 'utf8'),
    stop: async () => {
      child.kill('SIGTERM')
      await exited
    },
  }
}
