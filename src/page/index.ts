/**
 * The live page of a running role: its files, the stream of changes behind it, and the code that runs in the browser
 * (browser/, compiled by tsconfig.page.json). Tests named after a behaviour: documents.test.ts (browser/documents.ts,
 * browser/miner-documents.ts, browser/hub-documents.ts), ../services/page.test.ts (browser/data-table.ts, browser/plots.ts,
 * browser/miner.ts, browser/miner-tables.ts, browser/hub.ts, browser/hub-tables.ts, browser/miner-view.ts,
 * browser/miner-view-plots.ts, browser/validator.ts, browser/validator-board.ts, browser/localnet.ts), live-events.test.ts
 * (event-client.ts).
 */
export type { LiveDocument, RowKeys } from './document-change.js'
export { type PageOptions, type ServedPage, servePage } from './serve-page.js'
