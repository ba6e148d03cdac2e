import { connect, type Socket } from 'node:net'
import type { MinerSettings } from '../../src/config/index.js'
import { type FakeVllm, startFakeVllm } from '../support/fake-vllm.js'
import { signedPost, startVictim, type Victim, type VictimKind } from './victim.js'

/** Body of a streaming request. */
export const STREAM_BODY = JSON.stringify({ model: 'org/model', stream: true })

/** Bounds that never apply, so that the test exercises only its own. */
const WIDE = {
  'max-failed-checks': 100_000,
  'max-in-flight': 10_000,
  'max-in-flight-per-signer': 10_000,
  'routing.max-in-flight': 10_000,
}

/** Miners under attack, each with its own model server. */
export interface Arena {
  start(kind: VictimKind, settings?: Partial<MinerSettings>): Promise<[Victim, FakeVllm]>
  /** Stops everything that was started. */
  close(): Promise<void>
}

export function createArena(): Arena {
  const open: { close(): Promise<unknown> | unknown }[] = []
  return {
    start: async (kind, settings = {}) => {
      const vllm = await startFakeVllm()
      open.push(vllm)
      const victim = await startVictim(kind, { 'model-endpoint': [vllm.url], ...WIDE, ...settings })
      open.push({ close: () => victim.kill('SIGKILL') })
      return [victim, vllm]
    },
    close: async () => {
      for (const one of open.splice(0).reverse()) await one.close()
    },
  }
}

/** Opens a signed stream; the caller must resume the socket to read from it. */
export function openStream(port: number): Socket {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  const { head, body } = signedPost(STREAM_BODY)
  socket.write(head + body)
  return socket
}
