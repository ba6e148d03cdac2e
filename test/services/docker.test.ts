import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createEngineSet, type EngineSet, type EngineSetOptions } from '../../src/engine/index.js'
import { type Clock, systemClock } from '../../src/kernel/clock.js'
import { type DockerDaemon, startDockerDaemon } from '../support/docker-daemon.js'
import { type DockerProxy, startDockerProxy } from '../support/docker-proxy.js'
import { type ImageRegistry, startImageRegistry } from '../support/image-registry.js'
import { type StreamServer, startStreamServer } from '../support/stream-server.js'

// The fleet against a real Docker daemon of this suite. A proxy drops the request for GPUs, a registry on this machine serves a
// stand-in for the image of vLLM, and a script stands in for nvidia-smi.
const checkout = fileURLToPath(new URL('../..', import.meta.url))
const daemon = existsSync(join(checkout, 'dist')) ? await startDockerDaemon() : 'run npm run build first'
if (typeof daemon === 'string') console.warn(`docker.test.ts is skipped: ${daemon}.`)

const OWNER = '5Owner'
const LOGIN = { username: 'ops', password: 'registry-secret-1' }
const folder = mkdtempSync(join(tmpdir(), 'targon-fleet-'))
const socketPath = join(folder, 'proxy.sock')

/** Sleeps take a twentieth of their time; deadlines see the full time. */
const quickClock: Clock = {
  now: systemClock.now,
  monotonic: () => systemClock.monotonic() * 20,
  sleep: (ms, signal) => systemClock.sleep(ms / 20, signal),
}

let proxy: DockerProxy
let registry: ImageRegistry
let hub: StreamServer
let logged: string[]
const sets: EngineSet[] = []

describe.skipIf(typeof daemon === 'string')('the fleet on a real Docker daemon', { timeout: 60_000 }, () => {
  beforeAll(async () => {
    const binds = [
      ...['/lib', '/lib64', '/usr/lib'].filter(existsSync).map((path) => `${realpathSync(path)}:${path}:ro`),
      ...[`${realpathSync(process.execPath)}:/node:ro`, `${checkout}:/targon:ro`],
    ]
    proxy = await startDockerProxy(socketPath, real().socketPath, binds)
    registry = await startImageRegistry({ layer: makeLayer(), entrypoint: ['/node', '/entry.mjs'] }, LOGIN)
    hub = await startStreamServer((response, { path }) => {
      answerHub(path).then(
        (text) => response.end(text),
        () => response.writeHead(404).end(),
      )
    })
    const gpus = Array.from({ length: 3 }, () => 'echo "80000 MiB, 81920 MiB"').join('\n')
    writeFileSync(join(folder, 'nvidia-smi'), `#!/bin/sh\n${gpus}\n`, { mode: 0o755 })
  }, 60_000)
  beforeEach(() => {
    logged = []
    proxy.calls.length = 0
    proxy.api = undefined
    registry.isDown = false
  })
  afterEach(async () => {
    await Promise.all(sets.splice(0).map((set) => set.close()))
    removeContainers()
  })
  afterAll(async () => {
    await Promise.all([proxy?.close(), registry?.close(), hub?.close()])
    await real().close()
    rmSync(folder, { recursive: true, force: true })
  }, 60_000)

  it('pulls with the login and uses an engine while another one hangs; the next validator adopts both', async () => {
    real().docker('create', '--name', 'foreign', 'base', '/node')
    const first = openSet()
    await first.refresh(['targon-dev/small-a', 'org/hung'], 'start', signal())
    await expect.poll(() => readyModels(first), { timeout: 40_000 }).toEqual(['targon-dev/small-a'])
    expect(first.explain('org/hung').reason).toContain('Loading safetensors checkpoint shards')
    expect(proxy.calls.filter((call) => call.startsWith('POST /images/create'))).toHaveLength(1)
    expect(logged.join('')).not.toContain(LOGIN.password)

    // As after kill -9: nothing of the first one was closed.
    proxy.calls.length = 0
    const second = openSet()
    await second.refresh(['targon-dev/small-a', 'org/hung'], 'start', signal())
    await expect.poll(() => readyModels(second), { timeout: 40_000 }).toEqual(['targon-dev/small-a'])
    expect(proxy.calls).toEqual([])
    expect(names()).toContain('foreign')
  })

  it.each([
    ['20.10', 12, 41],
    ['29', 44, 52],
  ])('works with Docker %s, which takes API versions from 1.%i to 1.%i', async (_, oldest, newest) => {
    proxy.api = { oldest, newest }
    const set = openSet()
    await set.refresh(['org/a'], 'start', signal())
    await expect.poll(() => models(set)).toEqual(['org/a'])
    await set.refresh([], 'epoch', signal())
    expect(names()).toEqual([])
  })

  it('keeps what runs when a new tag cannot be pulled, and replaces it once it can', async () => {
    await openedWith(['org/a'])
    const [before] = names()
    const id = idOf(before)
    registry.isDown = true
    const updated = openSet({ image: `${registry.host}/vllm/vllm-openai:v2` })
    await updated.refresh(['org/a', 'org/b'], 'start', signal())
    await expect.poll(() => models(updated)).toEqual(['org/a'])
    expect(idOf(before)).toBe(id)
    expect(updated.explain('org/b').reason).toContain('failed: pulling')
    registry.isDown = false
    await updated.refresh(['org/a', 'org/b'], 'revival', signal())
    await expect.poll(() => models(updated).toSorted()).toEqual(['org/a', 'org/b'])
    expect(idOf(before)).not.toBe(id)
  })

  it('starts an engine again that was killed, one that hangs, and all of them after the daemon has restarted', async () => {
    const set = await openedWith(['org/a', 'org/b', 'org/crash'])
    expect(set.explain('org/crash').reason).toMatch(/exited with 1: /)
    const wanted = ['org/a', 'org/b']
    real().docker('kill', containerOf('org/a'))
    real().docker('kill', '--signal', 'STOP', containerOf('org/b'))
    await set.refresh(wanted, 'revival', signal())
    await expect.poll(() => set.explain('org/b').reason, { timeout: 20_000 }).toContain('was healthy')
    await expect.poll(() => names().length).toBe(1)
    await set.refresh(wanted, 'revival', signal())
    await expect.poll(() => models(set).toSorted()).toEqual(wanted)

    await real().restart()
    await set.refresh(wanted, 'revival', signal())
    await expect.poll(() => models(set).toSorted(), { timeout: 20_000 }).toEqual(wanted)
    expect(names()).toHaveLength(2)
  })

  it('says what to install when Docker has no runtime for GPUs, and leaves no container', async () => {
    const set = openSet({ socketPath: real().socketPath })
    await set.refresh(['org/a'], 'start', signal())
    expect(set.explain('org/a').next).toContain('Install nvidia-container-toolkit')
    expect(names()).toEqual([])
  })

  it('is not chosen by itself when this user may not access the socket, and the reason is told', () => {
    chmodSync(folder, 0o755)
    const closed = join(folder, 'closed.sock')
    writeFileSync(closed, '', { mode: 0o600 })
    const code = `
      import { createEngineSet } from ${JSON.stringify(join(checkout, 'dist/engine/index.js'))}
      const events = []
      const log = { info: () => {}, warn: ({ event }) => events.push(event) }
      const docker = ${JSON.stringify({ socketPath: closed, searchPath: folder })}
      const set = createEngineSet({ mode: 'auto', endpoints: [], docker, log })
      console.log(JSON.stringify({ mode: set.mode, events, ...set.explain('org/m') }))`
    const nobody = { uid: 65_534, gid: 65_534, encoding: 'utf8' } as const
    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', code], nobody)
    expect(JSON.parse(printed)).toEqual({
      mode: 'endpoints',
      events: ['docker-socket-inaccessible'],
      reason: expect.stringContaining(`may not access the Docker socket ${closed}`),
      next: expect.stringContaining('group docker'),
    })
  })

  it('names the login when the registry refuses it', async () => {
    const image = `${registry.host}/private/vllm:v9`
    const set = openSet({ image, registryLogin: { ...LOGIN, password: 'wrong-secret-2' } })
    await set.refresh(['org/a'], 'start', signal())
    expect(set.explain('org/a')).toEqual({
      reason: expect.any(String),
      next: expect.stringContaining('TARGON_ENGINE_REGISTRY_PASSWORD'),
    })
    expect(logged.join('')).not.toContain('wrong-secret-2')
  })
})

const signal = () => AbortSignal.timeout(55_000)
const models = (set: EngineSet) => set.current().map(({ model }) => model)
const readyModels = (set: EngineSet) =>
  set
    .current()
    .flatMap(({ model, facts, unreadyReason }) => (facts && unreadyReason === undefined ? [model] : []))
const names = () => real().docker('ps', '-a', '--format', '{{.Names}}').split('\n').filter(Boolean)
const idOf = (name = '') => real().docker('inspect', '--format', '{{.Id}}', name).trim()
const containerOf = (model: string) =>
  real().docker('ps', '-q', '--filter', `label=io.targon.model=${model}`).trim()

function real(): DockerDaemon {
  if (typeof daemon === 'string') throw new Error(daemon)
  return daemon
}

function openSet(docker: Partial<EngineSetOptions['docker']> = {}): EngineSet {
  const set = createEngineSet({
    mode: 'auto',
    endpoints: [],
    hubUrl: hub.url,
    modelDir: undefined,
    stateDir: join(folder, 'state'),
    clock: quickClock,
    log: pino({}, { write: (line: string) => void logged.push(line) }),
    docker: {
      socketPath,
      image: `${registry.host}/vllm/vllm-openai:v1`,
      registryLogin: LOGIN,
      cacheDir: join(folder, 'cache'),
      gpuMemoryUtilization: 0.9,
      owner: OWNER,
      shuffle: (all) => all,
      searchPath: folder,
      ...docker,
    },
  })
  expect(set.mode).toBe('docker')
  sets.push(set)
  return set
}

/** A set whose engines are all healthy or given up. */
async function openedWith(wanted: readonly string[]): Promise<EngineSet> {
  const set = openSet()
  await set.refresh(wanted, 'start', signal())
  await expect
    .poll(
      () => wanted.every((model) => models(set).includes(model) || /exited/.test(set.explain(model).reason)),
      { timeout: 20_000 },
    )
    .toBe(true)
  return set
}

function removeContainers(): void {
  const ids = real().docker('ps', '-aq').split('\n').filter(Boolean)
  if (ids.length > 0) real().docker('rm', '-f', ...ids)
}

/** The size of every model, and the files of a development model from its engine. */
async function answerHub(path: string): Promise<string> {
  if (path.startsWith('/api/models/'))
    return JSON.stringify({ safetensors: { parameters: { BF16: 1_000_000_000 } } })
  const container = containerOf(path.split('/').slice(1, 3).join('/'))
  const address = real().docker('port', container, '8000').trim()
  return await (await fetch(`http://${address}${path}`)).text()
}

/** The root folder of the stand-in: its entry point; node and its libraries are bound from this machine. */
function makeLayer(): Buffer {
  const root = join(folder, 'root')
  mkdirSync(root)
  execFileSync('cp', [join(checkout, 'test/support/stand-in-vllm.mjs'), join(root, 'entry.mjs')])
  execFileSync('tar', ['-C', root, '-cf', join(folder, 'root.tar'), 'entry.mjs'])
  real().docker('import', join(folder, 'root.tar'), 'base')
  return readFileSync(join(folder, 'root.tar'))
}
