import { isJsonObject, type JsonObject, parseJson } from '../../../kernel/index.js'

const TOKEN_ID = /^token_id:\d{1,15}$/
/** No token of a model has more. */
const MAX_BYTES = 1024

/**
 * A chunk of a chat with the text of tokens where the miner, as validators need it, wrote their ids. vLLM states the bytes of the
 * token that it chose even then; of alternatives it states none, so those keep their ids, except for the chosen token among them.
 *
 * @param json a valid JSON object
 * @returns the same string when there is nothing to change
 */
export function withReadableTokens(json: string): string {
  if (!json.includes('"token_id:')) return json
  const chunk = parseJson(json)
  if (!isJsonObject(chunk) || !Array.isArray(chunk.choices)) return json
  let isChanged = false
  const named = (entry: unknown) => {
    const text = isJsonObject(entry) ? textOf(entry) : undefined
    isChanged ||= text !== undefined
    return isJsonObject(entry) && text !== undefined ? nameEntry(entry, text) : entry
  }
  const choices = chunk.choices.map((choice: unknown) => {
    if (!isJsonObject(choice) || !isJsonObject(choice.logprobs)) return choice
    const { content } = choice.logprobs
    if (!Array.isArray(content)) return choice
    return { ...choice, logprobs: { ...choice.logprobs, content: content.map(named) } }
  })
  return isChanged ? JSON.stringify({ ...chunk, choices }) : json
}

function nameEntry(entry: JsonObject, text: string): JsonObject {
  const { token: id, bytes, top_logprobs: alternatives } = entry
  const named = (other: unknown) =>
    isJsonObject(other) && other.token === id ? { ...other, token: text, bytes } : other
  return {
    ...entry,
    token: text,
    ...(Array.isArray(alternatives) ? { top_logprobs: alternatives.map(named) } : {}),
  }
}

/** The text of a token that is named by its id; undefined when its bytes are not stated. */
function textOf({ token, bytes }: JsonObject): string | undefined {
  if (typeof token !== 'string' || !TOKEN_ID.test(token)) return undefined
  if (!Array.isArray(bytes) || bytes.length > MAX_BYTES || !bytes.every(isByte)) return undefined
  return Buffer.from(bytes).toString('utf8')
}

function isByte(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 256
}
