import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { resolveSettings } from '../../../src/config/index.js'
import { createDeferred, systemClock } from '../../../src/kernel/index.js'
import { type PartEndpoint, serveParts } from '../../../src/localnet/network/parts.js'
import { connect, NETUID } from '../chain/client.js'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'localnet-folder-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('the coldkey in the wallet is the one that owns the neurons on chain', async () => {
  const flags = { dir: folder, seed: 'wallet', only: 'chain', 'chain.port': '0' }
  const { values } = resolveSettings('localnet', { flags, env: {} })
  const stopping = new AbortController()
  const served = createDeferred<PartEndpoint>()
  const done = serveParts(
    { ...values, seed: 'wallet' },
    {
      clock: systemClock,
      program: 'targon',
      signal: stopping.signal,
      onEndpoint: served.resolve,
      onNote: () => {},
    },
  )
  const { url } = await served.promise
  const api = await connect(url)
  const neurons = (await api.call.neuronInfoRuntimeApi?.getNeuronsLite?.(NETUID))?.toJSON()
  await api.disconnect()
  stopping.abort()
  await done
  const wallet = JSON.parse(await readFile(join(folder, 'wallets', 'localnet', 'coldkeypub.txt'), 'utf8'))
  expect(neurons).toHaveLength(10)
  for (const neuron of neurons as { coldkey: string }[]) expect(neuron.coldkey).toBe(wallet.ss58Address)
})
