import type { IncomingMessage } from 'node:http'
import { expect, it } from 'vitest'
import { createFailureBuckets } from '../../../../src/kernel/index.js'
import { createAuthentication } from '../../../../src/roles/hub/gateway/authenticate.js'
import { ManualClock } from '../../../support/manual-clock.js'
import { createMemoryAccounts, keyOf } from '../../../support/memory-accounts.js'

function rig() {
  const clock = new ManualClock()
  const accounts = createMemoryAccounts()
  const failures = createFailureBuckets(clock, 2)
  const refusals = createFailureBuckets(clock, 2)
  const addressOf = ({ url }: IncomingMessage) => url ?? ''
  const authenticate = createAuthentication({ accounts, failures, refusals, addressOf, clock })
  const send = (authorization: string, address = 'a') =>
    authenticate({ url: address, headers: { authorization } } as IncomingMessage)
  return { clock, accounts, refusals, send }
}

it('a valid key is found, whatever the case of its scheme', async () => {
  const { send } = rig()
  for (const scheme of ['Bearer', 'bearer', 'BEARER '])
    expect(await send(`${scheme} sk-good`)).toMatchObject({ id: 'key_1' })
})

it('a key is refused from the millisecond at which it expires', async () => {
  const { clock, accounts, send } = rig()
  accounts.keys.set('sk-soon', keyOf({ limits: { expiresAtMs: clock.now() + 1000 } }))
  await clock.advance(999)
  await send('Bearer sk-soon')
  await clock.advance(1)
  await expect(send('Bearer sk-soon')).rejects.toMatchObject({
    status: 401,
    message: expect.stringContaining('expired'),
  })
})

it('an address that sends too many invalid keys is refused with any key, others are not, and only for a while', async () => {
  const { clock, accounts, send } = rig()
  for (let count = 0; count < 4; count++)
    await expect(send('Bearer sk-wrong')).rejects.toMatchObject({ status: 401 })
  accounts.isDown = true
  await expect(send('Bearer sk-good')).rejects.toMatchObject({ status: 429, retryAfter: 1 })
  accounts.isDown = false
  await send('Bearer sk-good', 'b')
  await clock.advance(1000)
  await send('Bearer sk-good')
})

it('a key of which too many requests were refused is refused, other keys of the address are not, and only for a while', async () => {
  const { clock, accounts, refusals, send } = rig()
  accounts.keys.set('sk-other', keyOf({ id: 'key_2' }))
  for (let count = 0; count < 4; count++) {
    await send('Bearer sk-good')
    refusals.fail('key_1')
  }
  await expect(send('Bearer sk-good')).rejects.toMatchObject({
    ...{ status: 429, retryAfter: 1, facts: { code: 'rate_limit_exceeded' } },
  })
  await send('Bearer sk-other')
  await clock.advance(500)
  await send('Bearer sk-good')
})

it('a database that is down does not count as a failure of the address', async () => {
  const { accounts, send } = rig()
  accounts.isDown = true
  for (let count = 0; count < 9; count++)
    await expect(send('Bearer sk-good')).rejects.toMatchObject({ code: 'ACCOUNTS_UNAVAILABLE' })
  accounts.isDown = false
  await send('Bearer sk-good')
})
