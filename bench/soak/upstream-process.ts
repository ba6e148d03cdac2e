import type { AddressInfo } from 'node:net'
import { createUpstream } from './upstream.js'

const server = createUpstream()
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
