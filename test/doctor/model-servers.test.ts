import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { MinerSettings } from '../../src/config/index.js'
import { examine, minerChecks } from '../../src/doctor/index.js'
import { type Clock, systemClock } from '../../src/kernel/clock.js'
import type { DevelopmentEngineOptions } from '../../src/localnet/engine/index.js'
import { createServers, type Fault, troubleIn } from '../support/doctor-faults.js'
import { type Change, type DoctorRig, startDoctorRig } from '../support/doctor-rig.js'
import { freePort } from '../support/free-port.js'

let rig: DoctorRig
const servers = createServers()

beforeAll(async () => {
  rig = await startDoctorRig()
}, 60_000)

afterAll(async () => {
  servers.close()
  await rig.close()
})

async function minerTrouble(change: Change<MinerSettings>) {
  return troubleIn(await examine(minerChecks, rig.miner(change)))
}

function shifted(ms: number): Clock {
  return { ...systemClock, now: () => systemClock.now() + ms }
}

const served = (options: Partial<DevelopmentEngineOptions>) => async () => {
  const { url } = await rig.startEngine(options)
  const modelFiles = { hubUrl: url }
  return { settings: { 'model-endpoint': [`${url}/v1`] }, context: { modelFiles } }
}

const faults: readonly Fault<MinerSettings>[] = [
  [
    'a clock that is a minute ahead',
    () => ({ context: { clock: shifted(60_000) } }),
    'fail clock',
    /NTP|chrony/,
  ],
  ['no model server', () => ({ settings: { 'model-endpoint': [] } }), 'fail upstream', /--model-endpoint/],
  [
    'a model server that is down',
    async () => ({ settings: { 'model-endpoint': [`http://127.0.0.1:${await freePort()}/v1`] } }),
    'fail upstream',
    /cannot be used/,
  ],
  ['a missing key', served({ apiKey: 'secret' }), 'fail upstream', /--api-key/],
  [
    'no token ids',
    served({ returnTokensAsTokenIds: false }),
    'fail upstream',
    /--return-tokens-as-token-ids/,
  ],
  ['processed log probabilities', served({ logprobsMode: 'processed' }), 'warn upstream', /raw_logprobs/],
  ['cuts by the server', served({ samplingDefaults: { topP: 0.7 } }), 'warn upstream', /--generation-config/],
  ['a date in the template', served({ templateDate: true }), 'warn upstream', /TZ=UTC/],
  ['a reasoning parser', served({ reasoningParser: true }), 'warn upstream', /--reasoning-parser/],
  ['merged chunks', served({ tokensPerChunk: 4 }), 'warn upstream', /--stream-interval 1/],
  ['few log probabilities', served({ maxLogprobs: 5 }), 'warn upstream', /--max-logprobs/],
  [
    'a model server that answers on other addresses',
    () => ({ machine: { ownAddresses: () => ['127.0.0.1'] } }),
    'warn upstream',
    /--host 127\.0\.0\.1/,
  ],
  [
    'a server that strangers can use, because its key guards /v1 only',
    async () => {
      const { url } = await rig.startEngine({ apiKey: 'secret' })
      return {
        settings: { 'model-endpoint': [`${url.replace('127.0.0.1', 'localhost')}/v1`], 'api-key': 'secret' },
        machine: { lookup: async () => [{ address: '45.33.32.11', family: 4 }] },
      }
    },
    'warn upstream',
    /\/tokenize answers strangers/,
  ],
]

// The times of real tokens are judged: when the machine stalls, tokens arrive together and an answer counts as not streamed.
const retry = process.env.CI ? 1 : 0

describe('doctor of the model servers of a miner', { timeout: 60_000, retry }, () => {
  it.each(faults)('names %s and nothing else', async (_, breakOne, expected, fix) => {
    const { named, text } = await minerTrouble(await breakOne())
    expect(named, text).toEqual([expected])
    expect(text).toMatch(fix)
  })

  it('finds a proxy that keeps streams back', async () => {
    const engine = await rig.startEngine({ tokensPerSecond: 80 })
    const proxy = await servers.relay(engine.url)
    const { named, text } = await minerTrouble({ settings: { 'model-endpoint': [`${proxy}/v1`] } })
    expect(named.map((one) => one.split(' ')[1])).toContain('upstream')
    expect(new Set(named.map((one) => one.split(' ')[1]))).toEqual(new Set(['upstream']))
    expect(text).toMatch(/proxy_buffering off/)
  })
})
