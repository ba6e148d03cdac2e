/**
 * What an admitted request asks for: its body is read within bounds, large ones on a thread, and compared with the operator's
 * request policy. Tests named after a behaviour: nested-bodies.test.ts (request-reader.ts, read-request.ts).
 */
export { createRequestReader, type RequestRead, type RequestReader } from './request-reader.js'
