import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Link, openLink, readHead } from '../../src/chain/link.js'
import { camelCase, type ReadAt } from '../../src/chain/runtime.js'
import { systemClock } from '../../src/kernel/clock.js'
import { aboutItem, type LyingEndpoint, startLyingEndpoint } from '../support/lying-endpoint.js'
import { type Subnet, startSubnet } from './subnet.js'

let subnet: Subnet
let endpoint: LyingEndpoint
let link: Link
let at: ReadAt

beforeAll(async () => {
  subnet = await startSubnet({ specVersion: 425 })
  endpoint = await startLyingEndpoint(subnet.dev.url)
  link = await openLink(endpoint.url, { clock: systemClock, rpcTimeoutMs: 8000 })
  at = { blockHash: (await readHead(link)).hash }
})
afterAll(async () => {
  link.rpc.close()
  await endpoint.close()
  await subnet.close()
})

describe('Runtime', () => {
  it('reads storage by name, with defaults and optional values', async () => {
    const { runtime } = link
    expect(runtime.specVersion).toBe(425)
    expect(runtime.hasStorage('SubnetworkN')).toBe(true)
    expect(await runtime.read('SubnetworkN', [4], at)).toBe(4)
    expect(await runtime.read('SubnetworkN', [77], at)).toBe(0)
    expect(await runtime.read('Uids', [4, subnet.signers[2]?.address], at)).toBe(2)
    expect(await runtime.read('Uids', [77, subnet.signers[2]?.address], at)).toBeUndefined()
  })

  it('returns undefined for items and runtime calls that do not exist', async () => {
    const { runtime } = link
    expect(runtime.hasStorage('NoSuchItem')).toBe(false)
    expect(runtime.hasStorage('SubnetworkN', 'NoSuchPallet')).toBe(false)
    expect(await runtime.read('NoSuchItem', [], at)).toBeUndefined()
    expect(runtime.hasRuntimeApi('SubnetInfoRuntimeApi', 'no_such_call')).toBe(false)
    expect(runtime.outputFields('SubnetInfoRuntimeApi', 'no_such_call')).toBeUndefined()
    expect(await runtime.callApi('SubnetInfoRuntimeApi', 'no_such_call', [], at)).toBeUndefined()
  })

  it('lists the fields of a result', () => {
    expect(link.runtime.outputFields('SubnetInfoRuntimeApi', 'get_selective_metagraph')).toContain('hotkeys')
  })

  it.each(['0x01', '0x010000'])('fails with CHAIN_DATA for %s, which does not fit a u16', async (value) => {
    endpoint.lies.set(
      'state_getStorage',
      aboutItem('SubnetworkN', () => value),
    )
    await expect(link.runtime.read('SubnetworkN', [4], at)).rejects.toMatchObject({
      code: 'CHAIN_DATA',
      fault: 'chain',
    })
    endpoint.lies.clear()
  })
})

it.each([
  ['get_neurons_lite', 'getNeuronsLite'],
  ['SubtensorModule', 'subtensorModule'],
])('camelCase spells %s as %s', (name, spelled) => {
  expect(camelCase(name)).toBe(spelled)
})
