import type { Tokenizer } from './tokenizer.js'

export interface TemplateMessage {
  readonly role: string
  readonly content: string
}

/** The Jinja template of tokenizer_config.json; `renderChat` is its equivalent. */
export const CHAT_TEMPLATE =
  "{{ '<|begin_of_text|>' }}{% for message in messages %}{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"

interface TemplateOptions {
  readonly addGenerationPrompt: boolean
  /** Leaves the last message open for the model to continue. */
  readonly continueFinalMessage?: boolean
}

function renderChat(messages: readonly TemplateMessage[], options: TemplateOptions): string {
  let text = '<|begin_of_text|>'
  for (const [index, { role, content }] of messages.entries()) {
    const open = options.continueFinalMessage === true && index === messages.length - 1
    text += `<|start_header_id|>${role}<|end_header_id|>\n\n${content.trim()}${open ? '' : '<|eot_id|>'}`
  }
  return options.addGenerationPrompt ? `${text}<|start_header_id|>assistant<|end_header_id|>\n\n` : text
}

export function encodeChat(
  tokenizer: Tokenizer,
  messages: readonly TemplateMessage[],
  options: TemplateOptions & { readonly bos?: boolean },
): number[] {
  return tokenizer.encode(renderChat(messages, options), { bos: options.bos === true })
}
