import { EventStream } from '../../../inference/index.js'
import { isJsonObject, type JsonObject, parseJson } from '../../../kernel/index.js'

/** Larger answers are not read; they are counted by their bytes. */
const MOST_BYTES = 4 << 20
const BYTES_PER_TOKEN = 4
const BOUNDS = { depth: 32, values: 262_144 }

/** What an unverified answer used, as the miner says. */
interface PlainUsage {
  add(bytes: Buffer): void
  /** Where the miner says nothing, an event counts as a token, of other answers every four bytes. */
  result(): { readonly promptTokens: number | undefined; readonly tokens: number }
}

/** Reads the usage of an answer while it passes: of the whole body, or of the last event that has one. */
export function createPlainUsage(contentType: string): PlainUsage {
  const isStream = contentType.startsWith('text/event-stream')
  const parts: Buffer[] = []
  let bytes = 0
  let count = 0
  let usage: JsonObject | undefined
  let events: EventStream | undefined = new EventStream({
    lineBytes: MOST_BYTES,
    streamBytes: 64 * MOST_BYTES,
    events: 1 << 20,
  })
  const readEvents = (piece: Buffer) => {
    try {
      for (const data of events?.push(piece) ?? []) {
        if (data !== undefined) count++
        usage = findUsage(data) ?? usage
      }
    } catch {
      // The stream is not what it says; the user sees it as it is.
      events = undefined
    }
  }
  return {
    add: (piece) => {
      bytes += piece.length
      if (isStream) readEvents(piece)
      else if (bytes <= MOST_BYTES) parts.push(piece)
    },
    result: () => {
      if (!isStream && bytes <= MOST_BYTES) usage = findUsage(Buffer.concat(parts).toString('utf8'))
      return {
        promptTokens: countOf(usage?.prompt_tokens ?? usage?.input_tokens),
        tokens:
          countOf(usage?.completion_tokens ?? usage?.output_tokens) ??
          (events !== undefined && isStream ? count : Math.ceil(bytes / BYTES_PER_TOKEN)),
      }
    },
  }
}

/** OpenAI and vLLM write it beside the choices, the responses of OpenAI within `response`. */
function findUsage(text: string | undefined): JsonObject | undefined {
  if (text === undefined || !text.includes('"usage"')) return undefined
  const json = parseJson(text, BOUNDS)
  if (!isJsonObject(json)) return undefined
  const inner = isJsonObject(json.response) ? json.response.usage : undefined
  const usage = json.usage ?? inner
  return isJsonObject(usage) ? usage : undefined
}

function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.floor(value) : undefined
}
