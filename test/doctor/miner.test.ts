import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { MinerSettings } from '../../src/config/index.js'
import { type Context, examine, minerChecks } from '../../src/doctor/index.js'
import { type Clock, systemClock } from '../../src/kernel/clock.js'
import { askServersOnce, createServers, type Fault, troubleIn } from '../support/doctor-faults.js'
import { type Change, type DoctorRig, nameOf, startDoctorRig } from '../support/doctor-rig.js'
import { freePort } from '../support/free-port.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { temporaryFolder } from '../support/temporary-folder.js'

// A miner whose model server is sound; model-servers.test.ts breaks the server.
const checks = askServersOnce(minerChecks, 'upstream')
let rig: DoctorRig
const servers = createServers()

beforeAll(async () => {
  rig = await startDoctorRig()
  await examine(checks, rig.miner())
}, 60_000)

afterAll(async () => {
  servers.close()
  await rig.close()
})

async function minerTrouble(change: Change<MinerSettings>) {
  return troubleIn(await examine(checks, rig.miner(change)))
}

/** What a running miner says that the launcher did not start. @returns the port */
async function startStatusServer(): Promise<number> {
  const { address } = await hotkeyOf(2)
  const status = { role: 'miner', hotkey: address, uid: 1, launched: false }
  return await servers.listen(createServer((_, response) => response.end(JSON.stringify(status))))
}

function shifted(ms: number): Clock {
  return { ...systemClock, now: () => systemClock.now() + ms }
}

async function elsewhere() {
  return { 'metrics.port': await freePort() }
}

/** A repository without releases, and a file with one pinned key. */
function updateSource() {
  const repository = join(temporaryFolder('source'), 'source.git')
  execFileSync('git', ['init', '--quiet', '--bare', repository])
  const signers = join(rig.folder, 'signers')
  writeFileSync(signers, 'a@b namespaces="git" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA\n')
  return { 'update.url': repository, 'update.signers': signers }
}

const faults: readonly Fault<MinerSettings>[] = [
  ['Node.js 18', () => ({ machine: { nodeVersion: '18.20.0' } }), 'fail node', /20\.19/],
  ['few descriptors', () => ({ machine: { descriptorLimit: () => 256 } }), 'fail descriptors', /ulimit/],
  ['a full disk', () => ({ machine: { freeBytes: async () => 1e6 } }), 'fail disk', /Free space/],
  [
    'an old name',
    () => ({ context: { reading: readingOf(['X is an old name; use --x.']) } }),
    'warn settings',
    /old name/,
  ],
  [
    'a setting in two places',
    () => ({
      context: {
        reading: {
          ...readingOf([]),
          shadowed: [
            {
              name: 'netuid',
              used: { kind: 'variable', name: 'TARGON_NETUID' },
              ignored: { kind: 'env-file', file: '.env', line: 3, name: 'BT_NETUID' },
            },
          ],
        },
      },
    }),
    'warn settings',
    /TARGON_NETUID counts, BT_NETUID \(\.env:3\) does not/,
  ],
  [
    'an exposed secret',
    () => ({
      context: {
        reading: readingOf(['.env contains a secret and is readable by other users; run: chmod 600 .env']),
      },
    }),
    'warn files',
    /chmod 600 \.env/,
  ],
  [
    'an open state folder',
    () => {
      const stateDir = join(rig.folder, 'open-state')
      mkdirSync(stateDir)
      chmodSync(stateDir, 0o755)
      return { context: { stateDir } }
    },
    'warn files',
    /chmod 700/,
  ],
  [
    'a name that does not resolve',
    () => ({
      settings: { 'subtensor.chain_endpoint': [rig.chain.url.replace('127.0.0.1', 'localhost')] },
      machine: { lookup: async () => Promise.reject(new Error('getaddrinfo ENOTFOUND')) },
    }),
    'fail dns',
    /localhost cannot be resolved/,
  ],
  [
    'IPv6 that leads nowhere',
    () => ({
      settings: { 'subtensor.chain_endpoint': [rig.chain.url.replace('127.0.0.1', 'localhost')] },
      machine: {
        lookup: async () => [
          { address: '127.0.0.1', family: 4 },
          { address: '::1', family: 6 },
        ],
      },
    }),
    'warn dns',
    /IPv6 does not connect/,
  ],
  [
    'a silent second endpoint',
    async () => ({
      settings: { 'subtensor.chain_endpoint': [rig.chain.url, `ws://127.0.0.1:${await freePort()}`] },
    }),
    'warn chain',
    /cannot be used/,
  ],
  [
    'an endpoint of another subnet',
    async () => {
      const { url } = await rig.startChain({ specVersion: 475 })
      return { settings: { 'subtensor.chain_endpoint': [rig.chain.url, url] } }
    },
    'fail chain',
    /disagree on/,
  ],
  [
    'an endpoint that stands still',
    async () => {
      const { url } = await rig.startChain({}, { clock: shifted(-600_000) })
      return { settings: { 'subtensor.chain_endpoint': [rig.chain.url, url] } }
    },
    'fail chain',
    /is 6\d\d s old/,
  ],
  [
    'no hotkey',
    async () => ({ settings: { 'wallet.hotkey': 'missing', ...(await elsewhere()) } }),
    'fail wallet',
    /btcli wallet new-hotkey/,
  ],
  [
    'a hotkey that is not registered',
    async () => ({ settings: { 'wallet.hotkey': nameOf(3), ...(await elsewhere()) } }),
    'fail registration',
    /btcli subnets register --netuid 4/,
  ],
  ['another port than on chain', () => ({ settings: { 'axon.external_port': 9 } }), 'fail axon', /:9\b/],
  [
    'a port that something else has',
    async () => ({ settings: await elsewhere() }),
    'fail self-dial',
    /is in use/,
  ],
  [
    'a hotkey file that others can read',
    () => {
      const path = join(rig.folder, 'wallets', 'test', 'hotkeys')
      writeFileSync(join(path, 'shared'), readFileSync(join(path, nameOf(2))), { mode: 0o644 })
      return { settings: { 'wallet.hotkey': 'shared' } }
    },
    'fail wallet',
    /chmod 600/,
  ],
  [
    'a newer release',
    () => {
      const { 'update.url': url, ...source } = updateSource()
      const identity = ['-c', 'user.name=a', '-c', 'user.email=a@b']
      const git = (...args: string[]) =>
        execFileSync('git', ['-C', url, ...identity, ...args])
          .toString()
          .trim()
      const commit = git('commit-tree', '-m', 'release', git('hash-object', '-t', 'tree', '-w', '/dev/null'))
      git('tag', 'v999.0.0', commit)
      return { settings: { 'update.url': url, ...source } }
    },
    'warn release',
    /999\.0\.0 is available/,
  ],
  [
    'a release on probation',
    () => {
      const root = join(rig.folder, 'probation')
      mkdirSync(root)
      const state = { state: 'probation', highest: '4.5.0', committed: ['4.5.0'], bad: [], from: '4.5.0' }
      const started = { to: '4.5.1', attempts: 1, deadline: null }
      writeFileSync(join(root, 'update.json'), JSON.stringify({ ...state, ...started }))
      return { settings: { 'update.root': root } }
    },
    'warn release',
    /4\.5\.1 is on probation/,
  ],
  [
    'no Redis',
    async () => ({ settings: { 'replay.redis-url': `redis://127.0.0.1:${await freePort()}` } }),
    'fail redis',
    /--replay\.redis-url/,
  ],
  [
    'updates without a pinned key',
    () => ({ settings: { autoupdate: true, ...updateSource(), 'update.signers': undefined } }),
    'warn release',
    /docs\/updates\.md/,
  ],
  [
    'a miner that updates itself without the launcher',
    async () => ({
      settings: { autoupdate: true, ...updateSource(), 'metrics.port': await startStatusServer() },
    }),
    'warn supervisor',
    /deploy\/launcher\.mjs/,
  ],
]

function readingOf(warnings: readonly string[]): Context['reading'] {
  return { warnings, shadowed: [], given: 1, isNetworkGiven: false }
}

describe('doctor of a miner', { timeout: 60_000 }, () => {
  it('finds nothing wrong with a healthy miner', async () => {
    const findings = await examine(checks, rig.miner())
    expect(findings.filter(({ state }) => state !== 'ok')).toEqual([])
    const saw = findings.map(({ check, saw: text }) => `${check}: ${text}`).join('\n')
    expect(saw).toMatch(/self-dial: 127\.0\.0\.1:\d+ answers a signed request/)
    expect(saw).toMatch(/upstream: .*vLLM 0\.11\.0.*4 of 4 answers verified/)
  })

  it.each(faults)('names %s and nothing else', async (_, breakOne, expected, fix) => {
    const { named, text } = await minerTrouble(await breakOne())
    expect(named, text).toEqual([expected])
    expect(text).toMatch(fix)
  })

  it('warns of a hotkey that validators take for one of them', async () => {
    const settings = { ...(await elsewhere()), 'wallet.hotkey': nameOf(1), 'axon.port': await freePort() }
    const { named, text } = await minerTrouble({ settings })
    expect(named, text).toEqual(['warn registration', 'warn axon'])
    expect(text).toMatch(/do not query it/)
  })

  it('opens the port itself while the miner does not run', async () => {
    const settings = { ...(await elsewhere()), 'axon.port': await freePort() }
    const findings = await examine(checks, rig.miner({ settings }))
    const [dial] = findings.filter(({ check }) => check === 'self-dial')
    expect(dial?.state).toBe('ok')
    expect(dial?.saw).toMatch(/leads to port \d+ of this machine/)
    // What the chain has is that of the running one; it changes at the next start.
    expect(troubleIn(findings).named).toEqual(['warn axon'])
  })
})
