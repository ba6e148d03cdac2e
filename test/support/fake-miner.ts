import { startStreamServer } from './stream-server.js'

export interface FakeMinerOptions {
  readonly models: readonly string[]
  /** Milliseconds between two tokens. */
  readonly gapMs?: number
  /** honest: what the engine of the rig expects; liar: made-up logprobs; silent: accepts and never answers. */
  readonly behaviour?: 'honest' | 'liar' | 'silent' | 'refuses'
}

export interface FakeMiner {
  readonly port: number
  models: readonly string[]
  behaviour: NonNullable<FakeMinerOptions['behaviour']>
  /** Bodies of inference requests. */
  readonly asked: { readonly path: string; readonly body: AskedBody }[]
  /** Bodies of POST /models. */
  readonly announced: unknown[]
  close(): Promise<void>
}

export interface AskedBody {
  readonly model: string
  readonly seed: number
  readonly max_tokens: number
  readonly messages?: readonly { readonly content: string }[]
  readonly prompt?: string
}

/** A real HTTP server that streams tokens ` w<i>` with id i, as the rig's engine holds likely. */
export async function startFakeMiner(options: FakeMinerOptions): Promise<FakeMiner> {
  const miner: { -readonly [K in keyof FakeMiner]: FakeMiner[K] } = {
    port: 0,
    models: options.models,
    behaviour: options.behaviour ?? 'honest',
    asked: [],
    announced: [],
    close: async () => {},
  }
  const server = await startStreamServer((response, { method, path, body }) => {
    if (path === '/models' && method === 'GET') return response.end(JSON.stringify(miner.models))
    const parsed = JSON.parse(body.toString('utf8') || 'null')
    if (path === '/models') {
      miner.announced.push(parsed)
      return response.end('""')
    }
    miner.asked.push({ path, body: parsed })
    if (miner.behaviour === 'silent') return
    if (miner.behaviour === 'refuses') return response.writeHead(500).end('{}')
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const chat = path.endsWith('/chat/completions')
    let sent = 0
    const send = () => {
      if (response.destroyed) return
      if (sent === parsed.max_tokens) return response.end('data: [DONE]\n\n')
      sent++
      const last = sent === parsed.max_tokens
      response.write(
        `data: ${JSON.stringify(chunkOf(chat, sent, last, miner.behaviour === 'liar' ? -9 : -0.1))}\n\n`,
      )
      setTimeout(send, options.gapMs ?? 2)
    }
    send()
  })
  miner.port = Number(new URL(server.url).port)
  miner.close = () => server.close()
  return miner
}

function chunkOf(chat: boolean, id: number, last: boolean, logprob: number) {
  const token = `token_id:${id}`
  const finish = last ? 'length' : null
  const choice = chat
    ? {
        delta: { content: ` w${id}` },
        logprobs: { content: [{ token, logprob, bytes: null, top_logprobs: [] }] },
      }
    : {
        text: ` w${id}`,
        logprobs: { tokens: [token], token_logprobs: [logprob], top_logprobs: [null], text_offset: [0] },
      }
  return {
    id: 'x',
    object: chat ? 'chat.completion.chunk' : 'text_completion',
    choices: [{ index: 0, ...choice, finish_reason: finish }],
  }
}
