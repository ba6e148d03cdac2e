/**
 * The JSON-RPC server of the chain, its faults and its `dev_*` methods.
 * Tests named after a behaviour: faults.test.ts (development-methods.ts, subscriptions.ts), ../start.test.ts (server.ts).
 */
export { Faults } from './faults.js'
export { startRpcServer } from './server.js'
