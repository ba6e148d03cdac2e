import { EventEmitter } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { watchReload } from '../../../src/cli/index.js'
import { systemClock } from '../../../src/kernel/clock.js'
import { type FakeVllm, sse, startFakeVllm } from '../../support/fake-vllm.js'
import { minerSettingsOf, startMinerRig } from '../../support/miner-rig.js'
import { temporaryFolder } from '../../support/temporary-folder.js'

const CHAT = JSON.stringify({ model: 'org/model', messages: [], stream: true })

describe('reloading the settings of a miner', () => {
  const open: { close(): Promise<unknown> }[] = []
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close()
  })

  async function start() {
    const [old, fresh] = await Promise.all([startFakeVllm(), startFakeVllm()])
    const file = join(temporaryFolder('settings'), 'targon.config.json')
    const write = (vllm: FakeVllm) =>
      writeFileSync(file, JSON.stringify({ 'model-endpoint': [vllm.url], 'api-key': `key-${vllm.port}` }))
    write(old)
    const resolve = async () => minerSettingsOf(JSON.parse(readFileSync(file, 'utf8')))
    const stop = new AbortController()
    const events = new EventEmitter()
    const log = pino({ level: 'silent' })
    const reload = watchReload({
      resolve,
      files: [file],
      clock: systemClock,
      log,
      signal: stop.signal,
      events,
    })
    const rig = await startMinerRig({ settings: await resolve(), deps: { reload } })
    open.push(old, fresh, rig, { close: async () => stop.abort() })
    const reloaded = () =>
      expect.poll(() => rig.logs.map(({ event }) => event)).toContain('upstreams-reloaded')
    return { old, fresh, write, events, rig, reloaded }
  }

  const causes = ['a changed file', 'SIGHUP'] as const
  it.each(causes)(
    'switches to another server on %s while a stream of the old one continues',
    async (cause) => {
      const { old, fresh, write, events, rig, reloaded } = await start()
      old.answer = ({ response }) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(sse('first'))
      }
      const stream = await rig.post('/v1/chat/completions', CHAT)
      const upstream = await old.arrived(1)
      write(fresh)
      if (cause === 'SIGHUP') events.emit('SIGHUP')
      await reloaded()
      const next = await rig.post('/v1/chat/completions', CHAT)
      expect(next.statusCode).toBe(200)
      await next.body.dump()
      expect(old.received).toHaveLength(1)
      expect(fresh.received[0]?.headers.authorization).toBe(`Bearer key-${fresh.port}`)
      upstream.response.write(sse('second'))
      upstream.response.end(sse('[DONE]'))
      expect(await stream.body.text()).toBe(sse('first', 'second', '[DONE]'))
    },
  )

  it('keeps the old settings when the new ones are invalid', async () => {
    const { old, write, events, rig, reloaded } = await start()
    write({ ...old, url: 'ftp://nowhere' })
    events.emit('SIGHUP')
    await expect.poll(() => rig.logs.map(({ event }) => event)).toContain('settings-reload-failed')
    const answer = await rig.post('/v1/chat/completions', CHAT)
    expect(answer.statusCode).toBe(200)
    await answer.body.dump()
    write(old)
    events.emit('SIGHUP')
    await reloaded()
  })
})
