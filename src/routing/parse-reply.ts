import { parseJson } from '../kernel/index.js'

/** More structure than any list of models has: a server that misbehaves must not hold up the streams of the others. */
const BOUNDS = { depth: 32, values: 100_000 }

/** The JSON of a model server's reply to the miner itself; undefined when it is none, or has more structure than an honest one. */
export function parseReply(text: string): unknown {
  return parseJson(text, BOUNDS)
}
