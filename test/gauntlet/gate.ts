import { type FakeVllm, startFakeVllm } from '../support/fake-vllm.js'
import { startVictim, type Victim, type VictimKind } from './victim.js'

/** The body of a request; its id names it at the model server. */
export const bodyOf = (id: string) => JSON.stringify({ model: 'org/model', user: id })

/** The ids of the requests that reached the model server. */
export const idsAt = (vllm: FakeVllm) =>
  vllm.received.map(({ body }) => (JSON.parse(body) as { user: string }).user)

/** Miners whose admission is attacked, before model servers that respond at once. */
export interface Gate {
  start(kind?: VictimKind): Promise<[Victim, FakeVllm]>
  closeLater(close: () => Promise<unknown> | unknown): void
  close(): Promise<void>
}

export function createGate(): Gate {
  const open: (() => Promise<unknown> | unknown)[] = []
  return {
    start: async (kind = 'miner') => {
      const vllm = await startFakeVllm({
        answer: ({ response }) =>
          void response.writeHead(200, { 'content-type': 'application/json' }).end('{}'),
      })
      open.push(() => vllm.close())
      const victim = await startVictim(kind, {
        'model-endpoint': [vllm.url],
        'max-failed-checks': 100_000,
        'max-in-flight': 10_000,
        'max-in-flight-per-signer': 10_000,
        'signature-workers': 1,
      })
      open.push(() => victim.kill('SIGKILL'))
      return [victim, vllm]
    },
    closeLater: (close) => void open.push(close),
    close: async () => {
      for (const close of open.splice(0).reverse()) await close()
    },
  }
}
