import { KeptAnswer, type OrganicRecord } from '../../src/roles/hub/organics/index.js'

/** A record of a chat that succeeded. @param facts with the chunks of the miner as `response` */
export function organicRecordOf(
  facts: Partial<Omit<OrganicRecord, 'response'>> & { readonly response?: readonly unknown[] } = {},
): OrganicRecord {
  const { id = 'req_1', response = [chatChunk('a', 101), chatChunk('b', 102)], ...rest } = facts
  const kept = new KeptAnswer(rest.endpoint === 'COMPLETION' ? 'completion' : 'chat')
  for (const chunk of response) kept.add(JSON.stringify(chunk))
  return {
    ...{ id, atMs: 1_734_000_000_000, model: 'org/m', endpoint: 'CHAT' },
    request: {
      ...{ model: 'org/m', max_tokens: 16, seed: 1, temperature: 1, stream: true, logprobs: true },
      messages: [{ role: 'user', content: `prompt of ${id}` }],
    },
    response: kept,
    ...{ uid: 1, hotkey: 'hotkey-1', coldkey: 'coldkey-1', success: true },
    ...{ totalMs: 200, firstTokenMs: 50, tokens: 2 },
    ...rest,
  }
}

function chatChunk(content: string, token: number) {
  const logprobs = { content: [{ token: `token_id:${token}`, logprob: -0.5, bytes: [97], top_logprobs: [] }] }
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta: { content }, logprobs, finish_reason: null }],
  }
}
