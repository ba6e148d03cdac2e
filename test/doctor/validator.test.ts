import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ValidatorSettings } from '../../src/config/index.js'
import { examine, validatorChecks } from '../../src/doctor/index.js'
import { type Clock, systemClock } from '../../src/kernel/clock.js'
import type { DevelopmentEngineOptions } from '../../src/localnet/engine/index.js'
import { openCalibrationFile } from '../../src/roles/validator/calibration/index.js'
import { calibrationOf } from '../roles/validator/calibration/stored-calibration.js'
import { askServersOnce, createServers, type Fault, troubleIn } from '../support/doctor-faults.js'
import { DOCTOR_MODEL, type DoctorRig, nameOf, startDoctorRig } from '../support/doctor-rig.js'
import { startFakeDocker } from '../support/fake-docker.js'
import { freePort } from '../support/free-port.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { temporaryFolder } from '../support/temporary-folder.js'

// For faults that have nothing to do with the reference engine.
const checks = askServersOnce(validatorChecks, 'engine')
let rig: DoctorRig
const servers = createServers()

beforeAll(async () => {
  rig = await startDoctorRig()
  writeFileSync(join(rig.folder, 'models.txt'), `${DOCTOR_MODEL}\n`)
  await examine(checks, rig.validator())
}, 60_000)

afterAll(async () => {
  servers.close()
  await rig.close()
})

const engineOf = (options: Partial<DevelopmentEngineOptions>) => async () => {
  const { url } = await rig.startEngine(options)
  return { settings: { 'engine.endpoints': [`${DOCTOR_MODEL}=${url}`] } }
}

const engineFaults: readonly Fault<ValidatorSettings>[] = [
  [
    'an engine that is not calibrated',
    () => ({ settings: { 'evidence.calibrate': false } }),
    'warn engine',
    /targon validator calibrate/,
  ],
  [
    'an engine with a cache of prefixes',
    async () => {
      const proxy = await servers.relay(rig.engine.url, (path, body) =>
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
    'an engine that was replaced since its calibration',
    async () => {
      const stateDir = temporaryFolder('calibrated')
      await openCalibrationFile(stateDir, DOCTOR_MODEL).save(calibrationOf(DOCTOR_MODEL, '0.9.0'))
      return { context: { stateDir } }
    },
    'warn engine',
    /calibrated with vLLM 0\.9\.0, and its engine is 0\.11\.0 now.*targon validator calibrate/,
  ],
  [
    'a slow engine',
    async () => {
      let lateMs = 0
      const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + lateMs }
      const slow = await servers.relay(rig.engine.url, (path, body) => {
        if (path.endsWith('/completions')) lateMs += 5000
        return body
      })
      return { settings: { 'engine.endpoints': [`${DOCTOR_MODEL}=${slow}`] }, context: { clock } }
    },
    'warn engine',
    /scores \d\d tokens\/s.*GPU/,
  ],
]

const otherFaults: readonly Fault<ValidatorSettings>[] = [
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
    'a hub that does not answer',
    async () => ({ settings: { 'hub.url': `http://127.0.0.1:${await freePort()}` } }),
    'warn hub',
    /--hub\.url/,
  ],
  [
    'a hub whose name does not resolve',
    async () => {
      const port = await servers.listen(createServer((_, response) => response.end('{}')))
      return {
        settings: { 'hub.url': `http://localhost:${port}` },
        machine: { lookup: async () => Promise.reject(new Error('getaddrinfo ENOTFOUND')) },
      }
    },
    'warn dns',
    /localhost cannot be resolved/,
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
    const findings = await examine(checks, rig.validator())
    expect(troubleIn(findings)).toEqual({ named: [], text: '' })
    const skipped = findings.filter(({ state }) => state === 'skip').map(({ check }) => check)
    expect(skipped).toEqual(['supervisor'])
  })

  it.each(engineFaults)('names %s and nothing else', async (_, breakOne, expected, fix) => {
    const { named, text } = troubleIn(await examine(validatorChecks, rig.validator(await breakOne())))
    expect(named, text).toEqual([expected])
    expect(text).toMatch(fix)
  })

  it.each(otherFaults)('names %s and nothing else', async (_, breakOne, expected, fix) => {
    const { named, text } = troubleIn(await examine(checks, rig.validator(await breakOne())))
    expect(named, text).toEqual([expected])
    expect(text).toMatch(fix)
  })

  it('names the permit that is missing, and the address that a miner left', async () => {
    const findings = await examine(checks, rig.validator({ settings: { 'wallet.hotkey': nameOf(2) } }))
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
