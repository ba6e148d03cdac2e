import { mkdir, writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { type StreamServer, startStreamServer } from './stream-server.js'

/** Faults of a model server. */
export const ENGINE_FAULTS = [
  'down',
  'hung',
  'answers 500',
  'garbage',
  'empty answers',
  'out of memory',
  'breaks off',
] as const

export type EngineFault = (typeof ENGINE_FAULTS)[number] | 'none' | 'loading'

export interface FakeEngine {
  readonly url: string
  fault: EngineFault
  /** Number of scoring calls with a valid response. */
  readonly scored: number
  close(): Promise<void>
}

const PROBE_ID = 9000

/**
 * Implements the part of vLLM's HTTP API that a reference engine needs. Token i is ` w<i>` and always has logprob −0.1;
 * logprobs are scaled by the temperature. The model's files are written to `modelDir`.
 */
export async function startFakeEngine(model: string, modelDir: string): Promise<FakeEngine> {
  await mkdir(join(modelDir, model), { recursive: true })
  await writeFile(join(modelDir, model, 'config.json'), '{"vocab_size":100000,"eos_token_id":99999}')
  const hanging = new Set<ServerResponse>()
  let scored = 0
  const server: StreamServer = await startStreamServer((response, { path, body }) => {
    if (misbehave(engine.fault, response, hanging)) return
    const json = (value: unknown) => response.end(JSON.stringify(value))
    if (path === '/version') return json({ version: '0.8.0' })
    if (path === '/v1/models') return json({ data: [{ id: model, max_model_len: 4096 }] })
    const call = JSON.parse(body.toString() || '{}')
    if (path === '/tokenize') return json({ tokens: tokensOf(call) })
    if (path === '/detokenize')
      return json({ prompt: (call.tokens as number[]).map((id) => ` w${id}`).join('') })
    if (path === '/v1/chat/completions')
      return json({ choices: [{ message: { content: 'What is the tallest mountain?' } }] })
    scored++
    const prompts: number[][] = Array.isArray(call.prompt[0]) ? call.prompt : [call.prompt]
    return json({ choices: prompts.map((prompt, index) => score(prompt, call.temperature, index)) })
  })
  const engine: FakeEngine = {
    url: server.url,
    fault: 'none',
    get scored() {
      return scored
    },
    close: () => server.close(),
  }
  return engine
}

function tokensOf({ prompt, messages }: { readonly prompt?: string; readonly messages?: unknown }): number[] {
  if (messages) return [1, 2, 3]
  if (prompt?.includes('<|eot_id|>')) return [4, 5]
  return prompt?.startsWith('The capital of France') ? [PROBE_ID, 7, 8, 9] : [1, 2, 3]
}

function score(prompt: readonly number[], temperature: number, index: number): object {
  const isCool = prompt[0] === PROBE_ID && temperature < 1
  const entry = { logprob: isCool ? -0.9 : -0.1, rank: 1, decoded_token: 'x' }
  return {
    index,
    text: ' w7',
    prompt_logprobs: prompt.map((id, at) => (at === 0 ? null : { [id]: entry })),
    logprobs: { top_logprobs: [{ 'token_id:7': -0.1 }] },
  }
}

/** @returns whether the fault handled the response */
function misbehave(fault: EngineFault, response: ServerResponse, hanging: Set<ServerResponse>): boolean {
  if (fault === 'none') return false
  if (fault === 'down') response.socket?.resetAndDestroy()
  else if (fault === 'hung') hanging.add(response)
  else if (fault === 'loading') response.writeHead(503).end('{"message":"starting"}')
  else if (fault === 'answers 500') response.writeHead(500).end('{"error":{"message":"dead engine"}}')
  else if (fault === 'garbage') response.end('<html>nginx</html>')
  else if (fault === 'empty answers') response.end('{"choices":[{"prompt_logprobs":[],"logprobs":{}}]}')
  else if (fault === 'out of memory')
    response.writeHead(500).end('{"error":{"message":"torch.OutOfMemoryError: CUDA out of memory"}}')
  else {
    response.writeHead(200, { 'content-length': '100000' }).write('{"choices":[{"prompt_logprobs":[null,')
    setImmediate(() => response.socket?.resetAndDestroy())
  }
  return true
}
