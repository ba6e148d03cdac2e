import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { TLSSocket } from 'node:tls'
import { afterEach, expect, it } from 'vitest'
import { openDatabase } from '../../src/history/index.js'

const fixture = (name: string) => readFileSync(new URL(`../fixtures/routing/${name}`, import.meta.url))
const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** A PostgreSQL server up to its answer to the request for TLS: refused, or with a certificate that no CA signed. */
async function startServer(hasTls: boolean): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.write(hasTls ? 'S' : 'N')
      if (!hasTls) return
      const key = fixture('localhost-key.pem')
      new TLSSocket(socket, { isServer: true, key, cert: fixture('localhost-certificate.pem') }).on(
        'error',
        () => {},
      )
    })
  })
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return `postgres://user:hidden-word@localhost:${(server.address() as AddressInfo).port}/name`
}

it.each(['prefer', 'require', 'verify-ca', 'verify-full'])(
  'checks the certificate with sslmode=%s, says what to do, and lets the driver print no warning',
  async (mode) => {
    const warnings: Error[] = []
    const note = (warning: Error) => void warnings.push(warning)
    process.on('warning', note)
    const url = `${await startServer(true)}?sslmode=${mode}`
    const failure = openDatabase({ url })
    await expect(failure).rejects.toMatchObject({
      code: 'HISTORY_UNAVAILABLE',
      message: expect.stringMatching(/self-signed certificate\.$/),
      next: expect.stringContaining('sslrootcert='),
    })
    await expect(failure).rejects.not.toMatchObject({ message: expect.stringContaining('hidden-word') })
    await new Promise(setImmediate)
    process.removeListener('warning', note)
    expect(warnings).toEqual([])
  },
)

it('says what to do when the server has no TLS', async () => {
  const url = `${await startServer(false)}?sslmode=require`
  await expect(openDatabase({ url })).rejects.toMatchObject({
    code: 'HISTORY_UNAVAILABLE',
    next: 'Remove sslmode from --database.url, or turn on TLS at the server.',
  })
})
