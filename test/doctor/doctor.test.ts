import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { MinerSettings, ValidatorSettings } from '../../src/config/index.js'
import { type Context, examine, type Finding, minerChecks, validatorChecks } from '../../src/doctor/index.js'
import { type Clock, systemClock } from '../../src/kernel/clock.js'
import type { DevelopmentEngineOptions } from '../../src/localnet/engine/index.js'
import { type Change, DOCTOR_MODEL, type DoctorRig, nameOf, startDoctorRig } from '../support/doctor-rig.js'
import { startFakeDocker } from '../support/fake-docker.js'
import { freePort } from '../support/free-port.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { temporaryFolder } from '../support/temporary-folder.js'

let rig: DoctorRig
const servers: Server[] = []

beforeAll(async () => {
  rig = await startDoctorRig()
  writeFileSync(join(rig.folder, 'models.txt'), `${DOCTOR_MODEL}\n`)
}, 60_000)

afterAll(async () => {
  for (const server of servers) server.close()
  await rig.close()
})

/** Checks whose findings are neither ok nor skipped, as `state check`, and what to do about them. */
function troubleIn(findings: readonly Finding[]) {
  const trouble = findings.filter(({ state }) => state === 'warn' || state === 'fail')
  return {
    named: [...new Set(trouble.map(({ state, check }) => `${state} ${check}`))],
    text: trouble.map(({ saw, next }) => `${saw} → ${next}`).join('\n'),
  }
}

type Break<S> = () => Promise<Change<S>> | Change<S>

async function minerTrouble(change: Change<MinerSettings>) {
  return troubleIn(await examine(minerChecks, rig.miner(change)))
}

/** Relays to an engine; every answer is kept back until it is whole, and may be changed. */
async function startRelay(
  target: string,
  change: (path: string, body: string) => string = (_, body) => body,
): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    const { method, headers, url = '' } = incoming
    const relayed = request(`${target}${url}`, { method, headers }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk) => chunks.push(chunk))
      answer.on('end', () => {
        outgoing.writeHead(answer.statusCode ?? 500, { 'content-type': answer.headers['content-type'] ?? '' })
        outgoing.end(change(url, Buffer.concat(chunks).toString('utf8')))
      })
    })
    relayed.on('error', () => outgoing.destroy())
    incoming.pipe(relayed)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** What a running miner says that the launcher did not start. @returns the port */
async function startStatusServer(): Promise<number> {
  const { address } = await hotkeyOf(2)
  const status = { role: 'miner', hotkey: address, uid: 1, launched: false }
  const server = createServer((_, response) => response.end(JSON.stringify(status)))
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

function shifted(ms: number): Clock {
  return { ...systemClock, now: () => systemClock.now() + ms }
}

const served = (options: Partial<DevelopmentEngineOptions>) => async () => {
  const { url } = await rig.startEngine(options)
  const modelFiles = { hubUrl: url }
  return { settings: { 'model-endpoint': [`${url}/v1`] }, context: { modelFiles } }
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

const minerFaults: readonly (readonly [string, Break<MinerSettings>, string, RegExp])[] = [
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
    'a clock that is a minute ahead',
    () => ({ context: { clock: shifted(60_000) } }),
    'fail clock',
    /NTP|chrony/,
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
    const findings = await examine(minerChecks, rig.miner())
    expect(findings.filter(({ state }) => state !== 'ok')).toEqual([])
    const saw = findings.map(({ check, saw: text }) => `${check}: ${text}`).join('\n')
    expect(saw).toMatch(/self-dial: 127\.0\.0\.1:\d+ answers a signed request/)
    expect(saw).toMatch(/upstream: .*vLLM 0\.11\.0.*4 of 4 answers verified/)
  })

  it.each(minerFaults)('names %s and nothing else', async (_, breakOne, expected, fix) => {
    const { named, text } = await minerTrouble(await breakOne())
    expect(named, text).toEqual([expected])
    expect(text).toMatch(fix)
  })

  it('finds a proxy that keeps streams back', async () => {
    const engine = await rig.startEngine({ tokensPerSecond: 80 })
    const proxy = await startRelay(engine.url)
    const { named, text } = await minerTrouble({ settings: { 'model-endpoint': [`${proxy}/v1`] } })
    expect(named.map((one) => one.split(' ')[1])).toContain('upstream')
    expect(new Set(named.map((one) => one.split(' ')[1]))).toEqual(new Set(['upstream']))
    expect(text).toMatch(/proxy_buffering off/)
  })

  it('warns of a hotkey that validators take for one of them', async () => {
    const settings = { ...(await elsewhere()), 'wallet.hotkey': nameOf(1), 'axon.port': await freePort() }
    const { named, text } = await minerTrouble({ settings })
    expect(named, text).toEqual(['warn registration', 'warn axon'])
    expect(text).toMatch(/do not query it/)
  })

  it('opens the port itself while the miner does not run', async () => {
    const settings = { ...(await elsewhere()), 'axon.port': await freePort() }
    const findings = await examine(minerChecks, rig.miner({ settings }))
    const [dial] = findings.filter(({ check }) => check === 'self-dial')
    expect(dial?.state).toBe('ok')
    expect(dial?.saw).toMatch(/leads to port \d+ of this machine/)
    // What the chain has is that of the running one; it changes at the next start.
    expect(troubleIn(findings).named).toEqual(['warn axon'])
  })
})

const engineOf = (options: Partial<DevelopmentEngineOptions>) => async () => {
  const { url } = await rig.startEngine(options)
  return { settings: { 'engine.endpoints': [`${DOCTOR_MODEL}=${url}`] } }
}

const validatorFaults: readonly (readonly [string, Break<ValidatorSettings>, string, RegExp])[] = [
  [
    'a hotkey with little stake',
    async () => {
      const { publicKey } = await hotkeyOf(1)
      const neurons = [{ hotkey: publicKey, coldkey: publicKey, stakeTao: 50, validatorPermit: true }]
      const { url } = await rig.startChain({ neurons })
      return { settings: { 'subtensor.chain_endpoint': [url] } }
    },
    'warn registration',
    /below 10000 TAO/,
  ],
  [
    'weights that are late',
    () => ({ settings: { 'epoch-length': 1 } }),
    'warn weights',
    /Start the validator/,
  ],
  [
    'an engine that is not calibrated',
    () => ({ settings: { 'evidence.calibrate': false } }),
    'warn engine',
    /targon validator calibrate/,
  ],
  [
    'an engine with a cache of prefixes',
    async () => {
      const proxy = await startRelay(rig.engine.url, (path, body) =>
        path === '/metrics' ? `vllm:cache_config_info{enable_prefix_caching="True"} 1\n${body}` : body,
      )
      return { settings: { 'engine.endpoints': [`${DOCTOR_MODEL}=${proxy}`] } }
    },
    'warn engine',
    /--no-enable-prefix-caching/,
  ],
  [
    'model files that cannot be read',
    async () => ({
      settings: {},
      context: { modelFiles: { hubUrl: `http://127.0.0.1:${await freePort()}` } },
    }),
    'fail models',
    /could not be read/,
  ],
  [
    'a release that is too old for the subnet',
    async () => {
      const { url } = await rig.startChain({ weightsVersionKey: 999_999_999 })
      return { settings: { 'subtensor.chain_endpoint': [url] } }
    },
    'fail weights',
    /targon update/,
  ],
  [
    'a wanted model without an engine',
    () => {
      const file = join(rig.folder, 'more-models.txt')
      writeFileSync(file, `${DOCTOR_MODEL}\norg/other\n`)
      return { settings: { 'models.file': file } }
    },
    'warn models',
    /org\/other/,
  ],
  [
    'no list of models',
    () => ({ settings: { 'models.file': '/nonexistent' } }),
    'fail models',
    /--models\.file/,
  ],
  [
    'no engine',
    () => ({ settings: { 'engine.endpoints': [] } }),
    'fail engine',
    /--engine\.endpoints model=url/,
  ],
  [
    'an engine that is down',
    async () => ({
      settings: { 'engine.endpoints': [`${DOCTOR_MODEL}=http://127.0.0.1:${await freePort()}`] },
    }),
    'fail engine',
    /cannot score/,
  ],
  ['an engine with few log probabilities', engineOf({ maxLogprobs: 5 }), 'warn engine', /--max-logprobs 32/],
  ['an engine of V0', engineOf({ dialect: 'v0' }), 'warn engine', /raw_logprobs/],
  ['an engine with a date', engineOf({ templateDate: true }), 'warn engine', /TZ=UTC/],
  ['an engine without room', engineOf({ maxModelLen: 1024 }), 'warn engine', /--max-model-len/],
  [
    'a hub that does not answer',
    async () => ({ settings: { 'hub.url': `http://127.0.0.1:${await freePort()}` } }),
    'warn hub',
    /--hub\.url/,
  ],
  [
    'no PostgreSQL',
    async () => ({ settings: { 'database.url': `postgres://a:b@127.0.0.1:${await freePort()}/c` } }),
    'fail database',
    /--database\.url/,
  ],
  [
    'Docker that is not there',
    () => {
      const { folder } = gpuProgram('echo "80000 MiB, 81559 MiB"')
      return {
        settings: { 'engine.mode': 'docker', 'engine.docker-socket': join(rig.folder, 'absent.sock') },
        machine: { searchPath: folder },
      }
    },
    'fail docker',
    /Start Docker/,
  ],
]

function gpuProgram(script: string) {
  const folder = join(rig.folder, `bin-${Math.random()}`)
  mkdirSync(folder)
  writeFileSync(join(folder, 'nvidia-smi'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  return { folder }
}

describe('doctor of a validator', { timeout: 60_000 }, () => {
  it('finds nothing wrong with one that is ready to start', async () => {
    const findings = await examine(validatorChecks, rig.validator())
    expect(troubleIn(findings)).toEqual({ named: [], text: '' })
    const skipped = findings.filter(({ state }) => state === 'skip').map(({ check }) => check)
    expect(skipped).toEqual(['supervisor'])
  })

  it.each(validatorFaults)('names %s and nothing else', async (_, breakOne, expected, fix) => {
    const { named, text } = troubleIn(await examine(validatorChecks, rig.validator(await breakOne())))
    expect(named, text).toEqual([expected])
    expect(text).toMatch(fix)
  })

  it('names the permit that is missing, and the address that a miner left', async () => {
    const findings = await examine(
      validatorChecks,
      rig.validator({ settings: { 'wallet.hotkey': nameOf(2) } }),
    )
    const { named, text } = troubleIn(findings)
    expect(named).toEqual(['fail registration', 'warn axon'])
    expect(text).toMatch(/no validator permit/)
    expect(text).toMatch(/still announces 127\.0\.0\.1:/)
  })

  it('tells Docker without the NVIDIA runtime, and GPUs that are taken', async () => {
    const socket = join(rig.folder, 'docker.sock')
    const docker = await startFakeDocker(socket)
    try {
      const { folder } = gpuProgram('echo "100 MiB, 81559 MiB"')
      const settings: Partial<ValidatorSettings> = {
        'engine.mode': 'docker',
        'engine.docker-socket': socket,
        'engine.endpoints': [],
      }
      const machine = { searchPath: folder }
      const findings = await examine(validatorChecks, rig.validator({ settings, machine }))
      expect(troubleIn(findings).named).toEqual(['fail docker', 'warn gpu'])
      docker.runtimes.push('nvidia')
      const again = await examine(validatorChecks, rig.validator({ settings, machine }))
      expect(troubleIn(again).named).toEqual(['warn gpu'])
    } finally {
      await docker.close()
    }
  })
})
