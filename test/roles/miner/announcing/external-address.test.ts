import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import {
  lookUpAddress,
  resolveExternalAddress,
} from '../../../../src/roles/miner/announcing/external-address.js'

const nothingGiven = { 'axon.external_ip': undefined, 'axon.ip': '0.0.0.0' }
const { signal } = new AbortController()

describe('resolveExternalAddress', () => {
  const open: { close(): void }[] = []
  afterEach(() => {
    for (const one of open.splice(0)) one.close()
  })

  /** A lookup service that fails this many times first. */
  async function startService(failures: number, text = '45.33.32.11\n') {
    const counts = { requests: 0 }
    const server = createServer((_, response) => {
      response.writeHead(counts.requests++ < failures ? 503 : 200).end(text)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    open.push(server)
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return { counts, lookUp: () => lookUpAddress(url, signal) }
  }

  it('retries when the lookup service fails once', async () => {
    const { counts, lookUp } = await startService(1)
    expect(await resolveExternalAddress(nothingGiven, signal, lookUp)).toBe('45.33.32.11')
    expect(counts.requests).toBe(2)
  })

  it('fails as unreachable when the lookup fails or returns no IP address, so that the supervisor restarts', async () => {
    for (const { counts, lookUp } of [await startService(9), await startService(0, '<html>sign in</html>')]) {
      await expect(resolveExternalAddress(nothingGiven, signal, lookUp)).rejects.toMatchObject({
        code: 'NO_EXTERNAL_ADDRESS',
        fault: 'unreachable',
        message: expect.stringMatching(/503|sign in/),
      })
      expect(counts.requests).toBeLessThanOrEqual(3)
    }
  })

  it.each([
    ['axon.external_ip', { 'axon.external_ip': 'my.host', 'axon.ip': '0.0.0.0' }],
    ['axon.ip', { 'axon.external_ip': undefined, 'axon.ip': 'my.host' }],
  ])('fails as a usage error when %s is not an IP address', async (_, settings) => {
    const unused = () => Promise.reject(new Error('looked up'))
    await expect(resolveExternalAddress(settings, signal, unused)).rejects.toMatchObject({
      code: 'NO_EXTERNAL_ADDRESS',
      fault: 'usage',
      message: expect.stringContaining('"my.host"'),
    })
  })

  it.each(['0.0.0.0', '::', '0:0:0:0:0:0:0:0', '::ffff:0.0.0.0'])(
    'refuses %s as axon.external_ip, which no validator can reach',
    async (ip) => {
      const settings = { 'axon.external_ip': ip, 'axon.ip': '0.0.0.0' }
      await expect(resolveExternalAddress(settings, signal)).rejects.toMatchObject({
        code: 'NO_EXTERNAL_ADDRESS',
        fault: 'usage',
        message: expect.stringContaining('every address of this host'),
        next: expect.stringContaining('--axon.external_ip'),
      })
    },
  )
})
