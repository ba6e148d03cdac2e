import { parseJson } from '../kernel/index.js'

/** What routing needs of a body; everything else of it is the upstream's business. */
export interface RequestFacts {
  readonly model: string
  readonly isStreamed: boolean
}

/** Reads the model of a request; the last of doubled keys counts, as it does in Python. */
export function readRequest(body: Buffer): RequestFacts | undefined {
  const json = parseJson(body.toString('utf8'))
  if (typeof json !== 'object' || json === null || !('model' in json) || typeof json.model !== 'string') {
    return undefined
  }
  return { model: json.model, isStreamed: 'stream' in json && json.stream === true }
}
