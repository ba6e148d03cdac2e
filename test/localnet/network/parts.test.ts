import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { resolveSettings } from '../../../src/config/index.js'
import { systemClock } from '../../../src/kernel/index.js'
import { type PartEndpoint, serveParts } from '../../../src/localnet/network/parts.js'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** Serves the chain alone on a free port until the test ends. */
async function serveChain(): Promise<PartEndpoint> {
  const dir = await mkdtemp(join(tmpdir(), 'parts-'))
  cleanups.push(() => rm(dir, { recursive: true, force: true }))
  const { values } = resolveSettings('localnet', {
    flags: { dir, only: 'chain', 'chain.port': '0', seed: 'test' },
    env: {},
  })
  const stopping = new AbortController()
  return await new Promise((resolve, reject) => {
    const serving = serveParts(
      { ...values, seed: 'test' },
      {
        clock: systemClock,
        program: 'targon',
        signal: stopping.signal,
        onEndpoint: resolve,
        onNote: () => {},
      },
    )
    cleanups.push(async () => {
      stopping.abort()
      await serving
    })
    serving.catch(reject)
  })
}

test('the chain has the runtime of the main network', async () => {
  const { url } = await serveChain()
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'state_getRuntimeVersion', params: [] })
  const answer = await fetch(url.replace('ws:', 'http:'), { method: 'POST', body })
  expect(await answer.json()).toMatchObject({ result: { specVersion: 475 } })
})
