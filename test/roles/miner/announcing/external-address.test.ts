import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import {
  lookUpAddress,
  resolveExternalAddress,
} from '../../../../src/roles/miner/announcing/external-address.js'

const nothingGiven = { 'axon.external_ip': undefined, 'axon.ip': '0.0.0.0' }
const { signal } = new AbortController()

describe('the address to announce', () => {
  const open: { close(): void }[] = []
  afterEach(() => {
    for (const one of open.splice(0)) one.close()
  })

  /** A service that fails so many times before it tells. */
  async function startService(failures: number, text = '45.33.32.11\n') {
    const counts = { asked: 0 }
    const server = createServer((_, response) => {
      response.writeHead(counts.asked++ < failures ? 503 : 200).end(text)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    open.push(server)
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return { counts, lookUp: () => lookUpAddress(url, signal) }
  }

  it('is asked for again when the service fails once', async () => {
    const { counts, lookUp } = await startService(1)
    expect(await resolveExternalAddress(nothingGiven, signal, lookUp)).toBe('45.33.32.11')
    expect(counts.asked).toBe(2)
  })

  it('ends the start for the supervisor to try again when nobody tells it, or what is told is none', async () => {
    for (const { counts, lookUp } of [await startService(9), await startService(0, '<html>sign in</html>')]) {
      await expect(resolveExternalAddress(nothingGiven, signal, lookUp)).rejects.toMatchObject({
        code: 'NO_EXTERNAL_ADDRESS',
        fault: 'unreachable',
        message: expect.stringMatching(/503|sign in/),
      })
      expect(counts.asked).toBeLessThanOrEqual(3)
    }
  })
  it.each([
    ['axon.external_ip', { 'axon.external_ip': 'my.host', 'axon.ip': '0.0.0.0' }],
    ['axon.ip', { 'axon.external_ip': undefined, 'axon.ip': 'my.host' }],
  ])('ends the start for good when %s is no address: trying again would not mend it', async (_, settings) => {
    const nobody = () => Promise.reject(new Error('not to be asked'))
    await expect(resolveExternalAddress(settings, signal, nobody)).rejects.toMatchObject({
      code: 'NO_EXTERNAL_ADDRESS',
      fault: 'usage',
      message: expect.stringContaining('"my.host"'),
    })
  })
})
