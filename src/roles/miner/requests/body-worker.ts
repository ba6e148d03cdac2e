import { parentPort } from 'node:worker_threads'
import type { RequestPolicy } from '../../../routing/index.js'
import { readLargeRequestBody } from './read-request.js'

/** One large body to read. Jobs are answered in their order. */
export interface BodyJob {
  readonly body: Uint8Array
  readonly policy: RequestPolicy | undefined
}

parentPort?.on('message', ({ body, policy }: BodyJob) => {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  parentPort?.postMessage(readLargeRequestBody(bytes, policy))
})
