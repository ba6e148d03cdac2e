/**
 * The processes of a localnet and what each is started with. Tests named after a behaviour:
 * ../../../test/e2e/localnet.test.ts and ../../../test/e2e/localnet-end.test.ts (network.ts, arguments.ts),
 * ../../../test/e2e/separate-terminals.test.ts (parts.ts), ../../../test/e2e/hub-mock.test.ts (mock-network.ts).
 */

export { type CastMember, castWith, deriveSecret, hotkeyNames, LOCALNET_MODELS } from './cast.js'
export type { SelfCommand } from './child.js'
export { openFolder } from './folders.js'
export { type AroundOptions, type SurroundingNetwork, startNetworkAround } from './mock-network.js'
export { Network, type NetworkDeps } from './network.js'
export { type PartEndpoint, serveParts } from './parts.js'
