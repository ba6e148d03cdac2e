import { Client, request } from 'undici'
import { startMinerRig } from '../../../support/miner-rig.js'

/** A miner with two workers. Sends their process ids once they serve, and again, when it is asked, after each has answered a request. */
const rig = await startMinerRig({ settings: { workers: 2, 'model-endpoint': ['http://127.0.0.1:9/v1'] } })
const callers = [new Client(rig.url), new Client(rig.url)]

async function send() {
  for (const caller of callers) await (await caller.request({ method: 'GET', path: '/' })).body.dump()
  const { workers } = (await (await request(`${rig.statusUrl}/status`)).body.json()) as {
    readonly workers: readonly { readonly pid: number }[]
  }
  process.send?.(workers.map(({ pid }) => pid))
}

process.on('message', () => void send())
await send()
