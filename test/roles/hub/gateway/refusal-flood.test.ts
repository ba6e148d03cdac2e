import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../../src/kernel/index.js'
import { type HubRig, startHubRig } from '../../../support/hub-rig.js'
import { startListingMiner } from '../../../support/listing-miner.js'
import { keyOf } from '../../../support/memory-accounts.js'
import type { StreamServer } from '../../../support/stream-server.js'

const MODEL = 'org/model'
const CHAT = '/v1/chat/completions'
const ask = { model: MODEL, messages: [{ role: 'user', content: 'Hi' }] }
/** Refusals that a key may cause at once. */
const BURST = 40

let miner: StreamServer & { readonly port: number }
let hub: HubRig
beforeAll(async () => {
  miner = await startListingMiner([MODEL], (response) => response.writeHead(500).end('{}'))
  // by this clock no time passes, however slow the machine is
  const clock = { ...systemClock, monotonic: () => 1000 }
  hub = await startHubRig([{ port: miner.port }], {}, { clock })
})
afterAll(async () => {
  await hub.close()
  await miner.close()
})

const keyFor = (secret: string) => {
  hub.accounts.keys.set(secret, keyOf({ id: `id-of-${secret}` }))
  return { authorization: `Bearer ${secret}` }
}

async function flood(headers: Record<string, string>, body: unknown) {
  const messages: string[] = []
  for (let count = 0; count < BURST + 10; count++) {
    const { error } = (await (await hub.post(CHAT, body, headers)).json()) as { error: { message: string } }
    messages.push(error.message)
  }
  return messages
}

describe('a key that floods the hub with requests that are refused', () => {
  it('is stopped before its limits are asked of the database; other keys are not', async () => {
    const headers = keyFor('sk-spent')
    let asked = 0
    const { reserve } = hub.accounts
    Object.assign(hub.accounts, {
      reserve: async () => {
        asked++
        return { kind: 'refused', reason: 'budget' }
      },
    })
    const messages = await flood(headers, ask)
    expect(asked).toBe(BURST)
    expect(messages.slice(BURST).every((message) => message.startsWith('Many requests'))).toBe(true)
    const stopped = await hub.post(CHAT, ask, headers)
    expect(stopped.status).toBe(429)
    expect(stopped.headers.get('retry-after')).toBe('1')
    expect((await hub.post(CHAT, ask)).status).toBe(429)
    expect(asked, 'the other key').toBe(BURST + 1)
    Object.assign(hub.accounts, { reserve })
  })

  it('is stopped with invalid bodies as well, on every route', async () => {
    const headers = keyFor('sk-confused')
    await flood(headers, '{')
    expect((await fetch(`${hub.url}/v1/models`, { headers })).status).toBe(429)
  })

  it('is not stopped by failures of miners', async () => {
    const messages = await flood(keyFor('sk-unlucky'), ask)
    expect(messages.filter((message) => message.startsWith('Many requests'))).toEqual([])
  })
})
