import { createServer } from 'node:http'

/** Accepts nothing while its process is stopped: once two connections wait, the system ignores first packets of others. */
const server = createServer((_, response) => response.end('here'))
server.listen({ host: '127.0.0.2', port: 0, backlog: 1 }, () => process.send?.(server.address()))
