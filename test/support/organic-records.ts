import type { OrganicRecord } from '../../src/roles/hub/organics/index.js'

/** A record of a chat that succeeded. */
export function organicRecordOf(facts: Partial<OrganicRecord> = {}): OrganicRecord {
  const { id = 'req_1' } = facts
  return {
    ...{ id, atMs: 1_734_000_000_000, model: 'org/m', endpoint: 'CHAT' },
    request: {
      ...{ model: 'org/m', max_tokens: 16, seed: 1, temperature: 1, stream: true, logprobs: true },
      messages: [{ role: 'user', content: `prompt of ${id}` }],
    },
    response: [chatChunk('a', 101), chatChunk('b', 102)],
    ...{ uid: 1, hotkey: 'hotkey-1', coldkey: 'coldkey-1', success: true },
    ...{ totalMs: 200, firstTokenMs: 50, tokens: 2 },
    ...facts,
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
