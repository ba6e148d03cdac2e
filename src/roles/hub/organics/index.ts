/**
 * Organics: users' requests with the miners' answers, kept for a while, sampled into buckets and handed to validators.
 *
 * Tests named after a behaviour: routes.test.ts (signed-caller.ts, bucket-text.ts), row-store.test.ts
 * (row-writer.ts).
 */
export { createAllowedValidators } from './allowed-validators.js'
export { KeptAnswer } from './kept-answer.js'
export { type Organics, openOrganics, type RetentionOptions } from './open-organics.js'
export { type ListedModel, type OrganicRoutesDeps, organicRoutes } from './routes.js'
export { readSealingKey } from './sealing.js'
export type { OrganicRecord, OrganicStore, ReportedVerdict } from './types.js'
