import { describe, expect, it } from 'vitest'
import { describeLocalnet, localnetStatus } from '../../../src/localnet/board/page-document.js'
import { accused, snapshotOf, verified } from './subnet.js'

const pages = {
  chainUrl: 'ws://127.0.0.1:9944',
  validatorUrl: 'http://127.0.0.1:4001',
  hub: undefined,
  minerUrlOf: (name: string) => (name === 'honest-fast' ? 'http://127.0.0.1:4002' : undefined),
}

describe('the document of the page of a localnet', () => {
  it('names the chain, the validator and every miner with its page', () => {
    const snapshot = snapshotOf([verified, accused('barred')], [{ uid: 1, weightU16: 65535 }], 2)
    const document = localnetStatus.parse(describeLocalnet(snapshot, pages))
    expect(document).toMatchObject({
      ...{ role: 'localnet', chainUrl: 'ws://127.0.0.1:9944', block: 31, epochBlocksLeft: 29, epochs: 2 },
      validator: { uid: 0, hotkey: 'hk-validator', rounds: 4, page: 'http://127.0.0.1:4001' },
    })
    expect(document.miners).toHaveLength(9)
    expect(document.miners[0]).toMatchObject({
      ...{ uid: 1, name: 'honest-fast', behaviour: 'honest', verified: 3, failed: {}, weightU16: 65535 },
      ...{ evidence: 'clean', accusation: null, page: 'http://127.0.0.1:4002' },
    })
    expect(document.miners[8]).toMatchObject({
      evidence: 'barred',
      accusation: expect.any(String),
      page: null,
    })
  })

  it('leads to the hub where there is one', () => {
    const hub = { url: 'http://127.0.0.1:8080', statusUrl: 'http://127.0.0.1:4003', apiKey: 'sk-targon-x' }
    const documents = [pages, { ...pages, hub }].map((one) => describeLocalnet(undefined, one))
    expect(documents.map((one) => one.hub)).toEqual([
      null,
      { url: 'http://127.0.0.1:8080', page: 'http://127.0.0.1:4003' },
    ])
    expect(JSON.stringify(documents)).not.toContain('sk-targon')
  })

  it('says before the first status where the parts are', () => {
    expect(localnetStatus.parse(describeLocalnet(undefined, pages))).toMatchObject({
      ...{ block: 0, epochBlocksLeft: null, miners: [] },
      validator: { page: 'http://127.0.0.1:4001' },
    })
  })
})
