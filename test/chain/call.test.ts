import { expect, it } from 'vitest'
import { buildCall, subtensorCall } from '../../src/chain/call.js'
import { openLink } from '../../src/chain/link.js'
import { systemClock } from '../../src/kernel/clock.js'
import { startSubnet } from './subnet.js'

it('buildCall rejects a call that does not exist or requires an unknown argument', async () => {
  const subnet = await startSubnet()
  const link = await openLink(subnet.dev.url, { clock: systemClock, rpcTimeoutMs: 8000 })
  const gone = () => buildCall(link.runtime, subtensorCall('set_weights_of_old', {}))
  expect(gone).toThrow(expect.objectContaining({ code: 'CHAIN_CALL_GONE', fault: 'chain' }))
  const changed = () =>
    buildCall(link.runtime, subtensorCall('set_weights', { netuid: 4, dests: [], weights: [] }))
  expect(changed).toThrow(
    expect.objectContaining({ facts: expect.objectContaining({ missing: ['versionKey'] }) }),
  )
  link.rpc.close()
  await subnet.close()
})
