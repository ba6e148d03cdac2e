import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { HubSettings } from '../../src/config/index.js'
import { examine, hubChecks } from '../../src/doctor/index.js'
import { type Clock, systemClock } from '../../src/kernel/clock.js'
import { createCertificate } from '../support/certificate.js'
import { createServers, type Fault, troubleIn } from '../support/doctor-faults.js'
import { type Change, DOCTOR_MODEL, type DoctorRig, nameOf, startDoctorRig } from '../support/doctor-rig.js'
import { freePort } from '../support/free-port.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { temporaryFolder } from '../support/temporary-folder.js'

let rig: DoctorRig
const servers = createServers()
const DAY_MS = 86_400_000

beforeAll(async () => {
  rig = await startDoctorRig()
}, 60_000)

afterAll(async () => {
  servers.close()
  await rig.close()
})

const findingsOf = (change?: Change<HubSettings>) => examine(hubChecks, rig.hub(change))

function inDays(days: number): Clock {
  return { ...systemClock, now: () => systemClock.now() + days * DAY_MS }
}

function tlsOf(days?: number) {
  const { cert, key } = createCertificate(days)
  return { 'hub.tls-cert': cert, 'hub.tls-key': key }
}

/** A file with this text and mode. */
function fileWith(text: string, mode = 0o600): string {
  const path = join(temporaryFolder('doctor-hub'), 'file')
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

/** A state folder whose database of keys has this text and mode. */
function databaseWith(text: string, mode = 0o600) {
  const stateDir = temporaryFolder('doctor-hub-state')
  chmodSync(stateDir, 0o700)
  writeFileSync(join(stateDir, 'accounts.sqlite'), text)
  chmodSync(join(stateDir, 'accounts.sqlite'), mode)
  return { context: { stateDir } }
}

/** A chain on which the hub has this stake, with or without the running miner. */
async function chainWith(stakeTao: number, hasMiner: boolean) {
  const [own, miner] = [(await hotkeyOf(1)).publicKey, (await hotkeyOf(2)).publicKey]
  const neurons = [
    { hotkey: own, coldkey: own, stakeTao, validatorPermit: true },
    ...(hasMiner ? [{ hotkey: miner, coldkey: miner }] : []),
  ]
  return (await rig.startChain({ neurons })).url
}

/** What a running hub says, whose API is at `url`. */
async function runningHub(url: string) {
  const { address } = await hotkeyOf(1)
  const status = { role: 'hub', hotkey: address, url, launched: true, records: { bytes: 0 } }
  const port = await servers.listen(createServer((_, response) => response.end(JSON.stringify(status))))
  return { 'metrics.port': port }
}

const faults: readonly Fault<HubSettings>[] = [
  [
    'a hotkey that is not registered',
    () => ({ settings: { 'wallet.hotkey': nameOf(3) } }),
    'fail registration',
    /btcli subnets register --netuid 4/,
  ],
  [
    'a port that something else has',
    async () => ({ settings: { 'hub.port': await servers.listen(createServer()) } }),
    'fail port',
    /is in use.*--hub\.port/,
  ],
  [
    'a status port that something else has',
    async () => ({
      settings: { 'metrics.port': await servers.listen(createServer((_, response) => response.end('{}'))) },
    }),
    'fail port',
    /is in use.*--metrics\.port/,
  ],
  [
    'an address of another machine',
    () => ({ settings: { 'hub.ip': '203.0.113.1', ...tlsOf() } }),
    'fail port',
    /--hub\.ip/,
  ],
  ['no TLS on every address', () => ({ settings: { 'hub.ip': '0.0.0.0' } }), 'warn tls', /sent unencrypted/],
  [
    'a certificate without its key',
    () => ({ settings: { 'hub.tls-cert': createCertificate().cert } }),
    'fail tls',
    /one of the two files is missing/,
  ],
  [
    'the key of another certificate',
    () => ({ settings: { ...tlsOf(), 'hub.tls-key': createCertificate().key } }),
    'fail tls',
    /cannot serve HTTPS.*belong together/,
  ],
  [
    'a certificate that ends soon',
    () => ({ settings: tlsOf(10) }),
    'warn tls',
    /valid for 9 more days.*Renew it/,
  ],
  [
    'a private key that others can read',
    () => {
      const settings = tlsOf()
      chmodSync(settings['hub.tls-key'], 0o644)
      return { settings }
    },
    'warn tls',
    /private key.*chmod o=/,
  ],
  [
    'a proxy that is neither an address nor a network',
    () => ({ settings: { 'hub.trusted-proxies': ['proxy'] } }),
    'fail proxies',
    /hub\.trusted-proxies/,
  ],
  [
    'a validator that is no hotkey',
    () => ({ settings: { 'hub.validators': ['alice'] } }),
    'fail validators',
    /"alice", which is not the address/,
  ],
  [
    'a validator that is not registered',
    async () => ({ settings: { 'hub.validators': [(await hotkeyOf(9)).address] } }),
    'warn validators',
    /is not registered/,
  ],
  [
    'no key of a user',
    () => ({ context: { stateDir: temporaryFolder('new') } }),
    'warn database',
    /keys create/,
  ],
  ['a database that others can read', () => databaseWith('', 0o644), 'warn database', /chmod 600/],
  ['a damaged database', () => databaseWith('not a database'), 'fail database', /\.recover/],
  [
    'no PostgreSQL server',
    async () => ({
      settings: { 'database.url': `postgres://targon:top-secret@127.0.0.1:${await freePort()}/targon` },
    }),
    'fail database',
    /does not answer.*--database\.url/,
  ],
  [
    'a key for kept requests that others can read',
    () => ({ settings: { 'hub.retain-key-file': fileWith('a'.repeat(64), 0o644) } }),
    'fail records',
    /chmod 600/,
  ],
  [
    'a key for kept requests that is too short',
    () => ({ settings: { 'hub.retain-key-file': fileWith('abcd') } }),
    'fail records',
    /32 bytes.*openssl rand -hex 32/,
  ],
  [
    'no room for kept requests',
    () => ({ settings: { 'hub.retain-bytes': 2 ** 40 }, machine: { freeBytes: async () => 4e9 } }),
    'warn records',
    /--hub\.retain-bytes/,
  ],
  [
    'a port that no hub answers on',
    async () => {
      const port = await servers.listen(createServer((_, response) => response.end('[]')))
      return { settings: await runningHub(`http://127.0.0.1:${port}`) }
    },
    'fail port',
    /which a hub does not/,
  ],
]

describe('doctor of a hub', { timeout: 60_000 }, () => {
  it('finds nothing wrong with a sound hub, and asks a miner', async () => {
    const findings = await findingsOf()
    expect(findings.filter(({ state }) => state !== 'ok' && state !== 'skip')).toEqual([])
    const saw = findings.map(({ check, saw: text }) => `${check}: ${text}`).join('\n')
    expect(saw).toContain(`miners: 1 of 1 miners that were asked serve ${DOCTOR_MODEL}`)
    expect(saw).toMatch(/port: 127\.0\.0\.1:\d+ is free/)
    expect(saw).toContain('validators: 1 validators with a permit')
  })

  it.each(faults)('names %s and nothing else', async (_, breakOne, expected, fix) => {
    const { named, text } = troubleIn(await findingsOf(await breakOne()))
    expect(named, text).toEqual([expected])
    expect(text).toMatch(fix)
    expect(text).not.toContain('top-secret')
  })

  it('names a certificate that has ended', async () => {
    const { named, text } = troubleIn(await findingsOf({ settings: tlsOf(1), context: { clock: inDays(2) } }))
    expect(named).toContain('fail tls')
    expect(text).toMatch(/was valid until/)
  })

  it('says that no miner announces an address, or that they refuse the stake', async () => {
    const without = await chainWith(20_000, false)
    const lonely = troubleIn(await findingsOf({ settings: { 'subtensor.chain_endpoint': [without] } }))
    expect(lonely.named, lonely.text).toEqual(['fail miners'])
    const poorer = { 'subtensor.chain_endpoint': [await chainWith(50, true)] }
    await rig.startMiner(poorer)
    const poor = troubleIn(await findingsOf({ settings: poorer }))
    expect(poor.named, poor.text).toEqual(['warn registration', 'fail miners'])
    expect(poor.text).toMatch(/they refuse the stake of this hotkey/)
  })

  it('asks a running hub, also by HTTPS with a certificate of its own', async () => {
    const { cert, key } = createCertificate()
    const tls = { cert: readFileSync(cert), key: readFileSync(key) }
    const port = await servers.listen(
      createSecureServer(tls, (_, response) => response.writeHead(401).end('{}')),
    )
    const findings = await findingsOf({ settings: await runningHub(`https://127.0.0.1:${port}`) })
    expect(troubleIn(findings).named).toEqual([])
    expect(findings.find(({ check }) => check === 'port')?.saw).toMatch(/answers on https:/)
    expect(findings.find(({ check }) => check === 'supervisor')?.saw).toMatch(/runs under the launcher/)
  })
})
