import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { ManualClock } from '../support/manual-clock.js'
import { startMinerRig } from '../support/miner-rig.js'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function startReceiver() {
  const messages: { authorization: string | undefined; body: unknown }[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { authorization } = request.headers
      messages.push({ authorization, body: JSON.parse(Buffer.concat(chunks).toString()) })
      response.writeHead(204).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, messages }
}

it('a miner without a chain and a model server tells it to the webhook, in /status and as a metric', async () => {
  const clock = new ManualClock()
  const receiver = await startReceiver()
  const rig = await startMinerRig({
    clock,
    settings: {
      'model-endpoint': ['http://127.0.0.1:1/v1'],
      'alert.webhook': receiver.url,
      'alert.secret': 'S3CRET-TOKEN',
    },
  })
  closing.push(() => rig.close())
  await clock.advance(150_000)
  await expect.poll(() => receiver.messages.length).toBeGreaterThan(0)
  const told = receiver.messages.map(({ body }) => body) as { node: object; alerts: { id: string }[] }[]
  expect(receiver.messages[0]?.authorization).toBe('Bearer S3CRET-TOKEN')
  expect(told[0]?.node).toMatchObject({ role: 'miner', netuid: 4, hotkey: rig.miner.address })
  await clock.advance(30_000)
  const status = (await (await fetch(`${rig.statusUrl}/status`)).json()) as { alerts: { id: string }[] }
  const ids = ['chain-stale', 'nothing-served', 'upstream-down']
  // those raised at the same look come in the order in which they were seen
  expect(status.alerts.map(({ id }) => id)).toEqual(expect.arrayContaining(ids))
  const metrics = await (await fetch(`${rig.statusUrl}/metrics`)).text()
  expect(metrics).toContain('targon_alerts{alert="nothing-served",severity="critical"} 1')
  expect(metrics).toMatch(/targon_alert_messages_total\{result="sent"\} [1-9]/)
  expect(JSON.stringify(rig.logs)).not.toContain('S3CRET-TOKEN')
})
