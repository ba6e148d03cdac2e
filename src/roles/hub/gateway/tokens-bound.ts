import type { ChatBody, CompletionBody } from './body-schemas.js'

/** Tokens that a chat template adds to a message at most. */
const PER_MESSAGE = 16
/** Tokens of one file at most: its size says little about them. */
const PER_FILE = 16_384

/** Members that only say how to sample. */
const WITHOUT_TEXT = new Set(['model', 'stream', 'stream_options', 'logit_bias', 'metadata', 'user'])

/**
 * The most tokens that a prompt can have: every token has at least one byte of UTF-8, of a prompt of token ids at least one
 * digit. Tools and schemas are part of the prompt too.
 */
export function promptTokensBound(body: ChatBody | CompletionBody): number {
  let files = 0
  const withoutFiles = (_: string, value: unknown) => {
    if (typeof value !== 'string' || !isFile(value)) return value
    files++
    return ''
  }
  const texts = Object.entries(body).filter(([name]) => !WITHOUT_TEXT.has(name))
  const bytes = Buffer.byteLength(JSON.stringify(Object.fromEntries(texts), withoutFiles))
  const messages = Array.isArray(body.messages) ? body.messages.length : 1
  return bytes + messages * PER_MESSAGE + files * PER_FILE
}

function isFile(text: string): boolean {
  return /^data:/i.test(text)
}
