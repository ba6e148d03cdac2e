import { exceedsJsonBounds } from '../../../kernel/index.js'
import {
  type BodyOutline,
  findViolation,
  outlineBody,
  type PolicyViolation,
  parseBody,
  type RequestPolicy,
} from '../../../routing/index.js'

/**
 * Requests nest less than ten levels, JSON schemas of tools twenty. As many values as the longest prompt of token ids has, and
 * few enough that a body of the cheapest ones fits into memory twenty times its size.
 */
const BOUNDS = { depth: 32, values: 262_144 }

/** What the body of a request asks for, or why it is refused. */
export type RequestReading =
  | {
      readonly kind: 'read'
      /** Undefined when the body names none. */
      readonly model: string | undefined
      readonly isStreamed: boolean
      /** Only of large bodies, which should be walked through once only. */
      readonly outline?: BodyOutline
    }
  | { readonly kind: 'not-a-request' | 'too-complex' }
  | { readonly kind: 'violation'; readonly violation: PolicyViolation }

/**
 * Reads a body without changing it: its structure is bounded before it is parsed, because parsing holds up every stream of this
 * thread and cannot be interrupted.
 */
export function readRequestBody(body: Buffer, policy: RequestPolicy | undefined): RequestReading {
  if (exceedsJsonBounds(body, BOUNDS)) return { kind: 'too-complex' }
  const json = parseBody(body)
  if (json === undefined) return { kind: 'not-a-request' }
  const { model } = json
  // vLLM, too, takes an empty name for none.
  const isNamed = model !== undefined && model !== null && model !== ''
  if (isNamed && typeof model !== 'string') return { kind: 'not-a-request' }
  const violation = policy === undefined ? undefined : findViolation(json, policy)
  if (violation !== undefined) return { kind: 'violation', violation }
  return { kind: 'read', model: isNamed ? model : undefined, isStreamed: json.stream === true }
}

/** The same, and where an edit would change the body. */
export function readLargeRequestBody(body: Buffer, policy: RequestPolicy | undefined): RequestReading {
  const reading = readRequestBody(body, policy)
  return reading.kind === 'read' ? { ...reading, outline: outlineBody(body) } : reading
}
