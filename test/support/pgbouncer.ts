import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from './free-port.js'
import { listening } from './listening.js'
import { temporaryFolder } from './temporary-folder.js'

/** Debian installs it where the PATH of an ordinary user does not look. */
export const pgbouncer = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin']
  .map((folder) => join(folder, 'pgbouncer'))
  .find((path) => {
    try {
      accessSync(path)
      return true
    } catch {
      return false
    }
  })

/** Starts a real PgBouncer with its default settings in front of a PostgreSQL server. */
export async function startPgBouncer(server: string, mode: 'session' | 'transaction') {
  const folder = temporaryFolder('pgbouncer')
  const port = await freePort()
  const { hostname, port: serverPort, username } = new URL(server)
  const config = join(folder, 'pgbouncer.ini')
  const lines = ['[databases]', `* = host=${hostname} port=${serverPort}`, '[pgbouncer]']
  lines.push('listen_addr = 127.0.0.1', `listen_port = ${port}`, 'unix_socket_dir =', `pool_mode = ${mode}`)
  lines.push('auth_type = trust', `auth_file = ${join(folder, 'users')}`)
  writeFileSync(join(folder, 'users'), `"${username}" ""\n`)
  writeFileSync(config, `${lines.join('\n')}\n`)
  chmodSync(folder, 0o755)
  const asUser = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  const child = spawn(pgbouncer ?? 'pgbouncer', [...asUser, config], { stdio: 'ignore' })
  await listening(child, port)
  return {
    /** The address of a database of the server, through the pooler. */
    through: (url: string) => {
      const pooled = new URL(url)
      pooled.port = String(port)
      return pooled.href
    },
    stop: async () => {
      const exited = once(child, 'exit')
      child.kill('SIGINT')
      setTimeout(() => child.kill('SIGKILL'), 3000).unref()
      await exited
    },
  }
}
