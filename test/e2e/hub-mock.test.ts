import { afterAll, describe, expect, it } from 'vitest'
import { type CliProcess, startCli } from '../support/cli-process.js'
import { freePort } from '../support/free-port.js'

let hub: CliProcess | undefined

afterAll(async () => {
  await hub?.stop()
})

describe('targon hub start --mock', { timeout: 300_000 }, () => {
  it('answers users and gives validators their requests, without a wallet or a chain', async () => {
    const port = await freePort()
    hub = startCli([
      'hub',
      'start',
      '--mock',
      '--hub.port',
      String(port),
      '--logging.level',
      'debug',
      '--exit-with-stdin',
    ])
    await hub.ready()
    const [, url, secret] = /curl (\S+)\/v1\/models -H 'Authorization: Bearer (\S+)'/.exec(hub.stderr()) ?? []
    expect(url).toBe(`http://127.0.0.1:${port}`)
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'targon-dev/small-a',
        messages: [{ role: 'user', content: 'Name three rivers.' }],
        max_tokens: 16,
      }),
    })
    expect(answer.status, await answer.text()).toBe(200)
    await hub.said('"event":"organics-handed-out"')
    expect(await hub.stop()).toBe(0)
  })
})
