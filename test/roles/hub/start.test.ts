import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { sse } from '../../support/fake-vllm.js'
import { type HubRig, startHubRig } from '../../support/hub-rig.js'
import { startListingMiner } from '../../support/listing-miner.js'
import type { StreamServer } from '../../support/stream-server.js'

const MODEL = 'org/model'
const CHAT = '/v1/chat/completions'
const ask = { model: MODEL, max_tokens: 8, stream: true, messages: [{ role: 'user', content: 'Hi' }] }
const chunk = (text: string, finish: string | null = null) =>
  JSON.stringify({ choices: [{ index: 0, delta: { content: text }, finish_reason: finish }] })
/** The shortest that a lock can have. */
const lockTimes = { staleMs: 2000, waitMs: 0 }

let miner: StreamServer & { readonly port: number }
let hub: HubRig
let finish = () => {}
afterEach(async () => {
  await hub.close().catch(() => {})
  await miner.close()
})

async function open(): Promise<void> {
  miner = await startListingMiner([MODEL], (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(sse(chunk('a')))
    finish = () => response.end(sse(chunk('b', 'stop'), '[DONE]'))
  })
  hub = await startHubRig([{ port: miner.port }], {}, { lockTimes })
}

async function rows(): Promise<string[]> {
  const names = await readdir(join(hub.stateDir, 'organics')).catch(() => [])
  return names.filter((name) => name.endsWith('.row'))
}

it('a second hub cannot use the state folder of one that runs', async () => {
  await open()
  const second = startHubRig([{ port: miner.port }], {}, { lockTimes, stateDir: hub.stateDir })
  await expect(second).rejects.toMatchObject({
    code: 'HOTKEY_IN_USE',
    next: expect.stringContaining('--neuron.name'),
  })
})

it('a hub whose state folder another process has taken finishes its requests, keeps none of them, and ends', async () => {
  await open()
  const first = hub.post(CHAT, ask)
  await vi.waitFor(() => expect(miner.received.some(({ path }) => path === CHAT)).toBe(true))
  finish()
  await (await first).text()
  await vi.waitFor(async () => expect(await rows()).toHaveLength(1))
  const running = await hub.post(CHAT, ask)
  const lock = join(hub.stateDir, 'hub.lock')
  await rm(lock, { recursive: true })
  await mkdir(lock)
  const done = hub.done.catch((error: unknown) => error)
  const listed = () => fetch(`${hub.url}/v1/models`, { headers: { authorization: 'Bearer sk-good' } })
  await vi.waitFor(async () => expect((await listed()).status).toBe(503), { timeout: 20_000 })
  finish()
  expect(await running.text()).toContain('[DONE]')
  expect(await done).toMatchObject({ code: 'HOTKEY_IN_USE', fault: 'hotkey-in-use' })
  expect(hub.accounts.settled).toHaveLength(2)
  expect(await rows()).toHaveLength(1)
  expect(await readdir(hub.stateDir), 'the lock is that of the other process').toContain('hub.lock')
})
