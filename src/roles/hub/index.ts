/**
 * The hub: users' requests in, verified miners behind, organics out to validators. hub.ts puts it together; gateway/ is the API
 * for users, miners/ knows whom to ask, asking/ asks, organics/ keeps answers for validators, figures/ counts.
 *
 * Tests named after a behaviour: openai-client.test.ts (hub.ts, start.ts), status.test.ts (status-document.ts, status.ts,
 * open-subnet.ts).
 */
export { hubApi } from './api.js'
export { startHub } from './start.js'
export { type HubStatus, hubStatus } from './status-document.js'
export { writeHubStatus } from './status-screen.js'
export type { HubDeps, HubReport } from './types.js'
