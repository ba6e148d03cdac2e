import type { ApiPromise } from '@polkadot/api'
import { Keyring } from '@polkadot/keyring'
import type { KeyringPair } from '@polkadot/keyring/types'
import { u8aToHex } from '@polkadot/util'
import { cryptoWaitReady } from '@polkadot/util-crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { endow } from '../../../../src/localnet/chain/subtensor/index.js'
import { connect, rejectionOf, sendInBlock, startNetwork, type TestNetwork } from '../client.js'

describe('transactions', () => {
  let network: TestNetwork
  let api: ApiPromise
  let payer: KeyringPair

  beforeEach(async () => {
    network = await startNetwork()
    api = await connect(network.url)
    const cold = network.neurons[0]?.cold
    if (!cold) throw new Error('no coldkey')
    payer = cold
  })
  afterEach(async () => {
    await api.disconnect()
    await network.close()
  })

  const remark = (text: string) => {
    const extrinsic = api.tx.system?.remarkWithEvent?.(text)
    if (!extrinsic) throw new Error('no remark')
    return extrinsic
  }
  const submit = (extrinsic: Uint8Array | string) =>
    api.rpc.author.submitExtrinsic(typeof extrinsic === 'string' ? extrinsic : u8aToHex(extrinsic))

  test.each(['ed25519', 'ecdsa'] as const)('accepts an %s signature', async (type) => {
    await cryptoWaitReady()
    const signer = new Keyring({ type }).addFromSeed(new Uint8Array(32).fill(7))
    endow(network.chain.storage, signer.addressRaw, 10n ** 10n)
    expect((await sendInBlock(network, api, remark('0x12'), signer)).events).toContain('system.Remarked')
  })

  test('accepts a payload above 256 bytes, which is signed by its hash', async () => {
    const outcome = await sendInBlock(network, api, remark(`0x${'ab'.repeat(1000)}`), payer)
    expect(outcome.events).toContain('system.Remarked')
  })

  test('rejects a modified call, another genesis hash or a metadata hash as a bad signature', async () => {
    const tampered = (await remark('0x01').signAsync(payer, { nonce: -1 })).toU8a()
    tampered[tampered.length - 1] = (tampered[tampered.length - 1] ?? 0) ^ 1
    expect(await rejectionOf(submit(tampered))).toMatch(/1010.*bad signature/)
    const otherGenesis = { nonce: -1, genesisHash: `0x${'11'.repeat(32)}` }
    const elsewhere = await remark('0x02').signAsync(payer, otherGenesis)
    expect(await rejectionOf(submit(elsewhere.toU8a()))).toMatch(/1010.*bad signature/)
    const hashed = await remark('0x03').signAsync(payer, {
      nonce: -1,
      withSignedTransaction: true,
      mode: 1,
      metadataHash: `0x${'22'.repeat(32)}`,
    })
    expect(await rejectionOf(submit(hashed.toU8a()))).toMatch(/1010.*bad signature/)
  })

  test('rejects a transaction signed before a runtime upgrade and accepts it when signed again', async () => {
    const before = await remark('0x04').signAsync(payer, { nonce: -1 })
    const upgraded = new Promise<void>((resolve) => {
      void api.rpc.state.subscribeRuntimeVersion((version) => {
        if (version.specVersion.toNumber() === 426) resolve()
      })
    })
    network.upgrade(426)
    await upgraded
    expect(await rejectionOf(submit(before.toU8a()))).toMatch(/1010.*bad signature/)
    const after = await connect(network.url)
    const again = after.tx.system?.remarkWithEvent?.('0x04')
    if (!again) throw new Error('no remark')
    expect((await sendInBlock(network, after, again, payer)).error).toBeUndefined()
    await after.disconnect()
  })

  test('rejects bytes that are not a signed extrinsic with 1001, 1002 or 1011', async () => {
    for (const [garbage, code] of [
      ['0x1234', 1001],
      ['0x0c84ffff', 1002],
      ['0x0c040000', 1011],
    ] as const) {
      const body = JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'author_submitExtrinsic',
        params: [garbage],
      })
      const response = await fetch(network.httpUrl, { method: 'POST', body })
      expect(await response.json()).toMatchObject({ error: { code } })
    }
  })

  test('rejects a used nonce and an expired mortal era', async () => {
    await sendInBlock(network, api, remark('0x05'), payer)
    const stale = await remark('0x06').signAsync(payer, { nonce: 0 })
    expect(await rejectionOf(submit(stale.toU8a()))).toMatch(/1010.*outdated/)
    const mortal = await remark('0x07').signAsync(payer, { nonce: -1, era: 4 })
    for (let made = 0; made < 8; made++) network.chain.produceBlock()
    expect(await rejectionOf(submit(mortal.toU8a()))).toMatch(/1010.*(bad signature|ancient)/)
  })

  test('includes transactions in nonce order regardless of arrival order', async () => {
    const signed = await Promise.all(
      [2, 1, 0].map((nonce) => remark(`0x0${nonce}`).signAsync(payer, { nonce })),
    )
    for (const extrinsic of signed) await submit(extrinsic.toU8a())
    expect(network.chain.nextNonce(payer.publicKey)).toBe(3)
    expect(network.chain.produceBlock().extrinsics).toHaveLength(4)
  })

  test('rejects a duplicate with 1013, and a reused nonce with 1014 unless the tip is higher', async () => {
    const first = await remark('0x08').signAsync(payer, { nonce: 3 })
    await submit(first.toU8a())
    expect(await rejectionOf(submit(first.toU8a()))).toMatch(/1013/)
    const conflicting = await remark('0x09').signAsync(payer, { nonce: 3 })
    expect(await rejectionOf(submit(conflicting.toU8a()))).toMatch(/1014/)
    const tipped = await remark('0x0a').signAsync(payer, { nonce: 3, tip: 5 })
    await submit(tipped.toU8a())
    expect(network.chain.pool.entries).toHaveLength(1)
  })

  test('rejects a transaction whose sender cannot pay the fee', async () => {
    const poor = network.keyring.addFromSeed(new Uint8Array(32).fill(99))
    expect(await rejectionOf(sendInBlock(network, api, remark('0x0b'), poor))).toMatch(/1010.*pay some fees/)
    expect((await remark('0x0c').paymentInfo(payer)).partialFee.toNumber()).toBeGreaterThan(0)
  })
})

describe('block history', () => {
  test('serves the state of every kept block and none older', async () => {
    const network = await startNetwork({ keptBlocks: 5, tempo: 100 })
    const api = await connect(network.url)
    const hashes = Array.from({ length: 4 }, () => u8aToHex(network.chain.produceBlock().hash))
    const early = await api.at(hashes[0] ?? '')
    expect((await early.query.system?.number?.())?.toString()).toBe('1')
    const metagraph = await early.call.subnetInfoRuntimeApi?.getMetagraph?.(4)
    expect(metagraph?.toJSON()).toMatchObject({ block: 1 })
    for (let made = 0; made < 10; made++) network.chain.produceBlock()
    expect(await rejectionOf(api.rpc.state.getStorage('0x1234', hashes[0]))).toMatch(/UnknownBlock|discarded/)
    const header = await api.rpc.chain.getHeader()
    expect(header.hash.toHex()).toBe(u8aToHex(network.chain.head.hash))
    await api.disconnect()
    await network.close()
  })
})
