import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  connectEngine,
  DockerClient,
  Fleet,
  type FleetOptions,
  type Gpu,
  type RefreshReason,
} from '../../../src/engine/index.js'
import { type Clock, systemClock } from '../../../src/kernel/clock.js'
import { endContainer, type FakeDocker, startFakeDocker } from '../../support/fake-docker.js'
import { type StreamServer, startStreamServer } from '../../support/stream-server.js'

const OWNER = '5Owner'
const IMAGE = 'vllm/vllm-openai:latest'
const MIB = 2 ** 20
const gpu = (id: number, freeMib = 80_000): Gpu => ({ id, freeMib, totalMib: 81_920 })

/** Sleeps take a fiftieth of their time; deadlines see the full time. */
const quickClock: Clock = {
  now: systemClock.now,
  monotonic: () => systemClock.monotonic() * 50,
  sleep: (ms, signal) => systemClock.sleep(ms / 50, signal),
}

let folder: string
let docker: FakeDocker
let hub: StreamServer
let gpus: Gpu[]
let logged: string[]
const fleets: Fleet[] = []
const sizesMib = new Map<string, number>()

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fleet-'))
  docker = await startFakeDocker(join(folder, 'docker.sock'))
  sizesMib.clear()
  logged = []
  gpus = [gpu(0), gpu(1)]
  hub = await startStreamServer((response, { path }) => {
    const size = sizesMib.get(path.replace('/api/models/', ''))
    if (size === undefined) return response.writeHead(404).end('{}')
    response.end(JSON.stringify({ safetensors: { parameters: { BF16: (size * MIB) / 2 } } }))
  })
})
afterEach(async () => {
  await Promise.all(fleets.splice(0).map((one) => one.close()))
  await docker.close()
  await hub.close()
  await rm(folder, { recursive: true, force: true })
})

function fleet(change: Partial<FleetOptions> = {}) {
  const created = new Fleet({
    docker: new DockerClient(join(folder, 'docker.sock')),
    owner: OWNER,
    image: IMAGE,
    cacheDir: '/var/targon/hub',
    gpuMemoryUtilization: 0.9,
    hubUrl: hub.url,
    stateDir: folder,
    readGpus: async () => gpus,
    shuffle: (models) => models,
    clock: quickClock,
    log: pino({}, { write: (line: string) => void logged.push(line) }),
    ...change,
  })
  fleets.push(created)
  return created
}

const signal = () => AbortSignal.timeout(55_000)

/** Reconciles and waits until every engine is healthy or given up. */
async function settle(one: Fleet, models: readonly string[], why: RefreshReason = 'start') {
  await one.reconcile(models, why, signal())
  await one.settled()
}

const running = (one: Fleet) => one.running.map(({ model }) => model)
const containerOf = (model: string) => {
  const found = [...docker.containers.values()].find(
    ({ specification }) => specification.Labels['io.targon.model'] === model,
  )
  if (!found) throw new Error(`${model} has no container`)
  return found
}

describe('Fleet', () => {
  it('starts a working engine, adopts it after a restart and leaves containers of other owners alone', async () => {
    sizesMib.set('targon-dev/small-a', 16_000)
    const foreign = docker.addForeign('postgres', { model: 'targon-dev/small-a' })
    const other = docker.addForeign('targon-else', { 'io.targon.owner': '5Else', 'io.targon.model': 'x/y' })
    const first = fleet()
    await settle(first, ['targon-dev/small-a'])
    expect(running(first)).toEqual(['targon-dev/small-a'])
    expect(containerOf('targon-dev/small-a').specification).toMatchObject({
      Image: 'vllm/vllm-openai:latest',
      HostConfig: {
        PortBindings: { '8000/tcp': [{ HostIp: '127.0.0.1' }] },
        DeviceRequests: [{ DeviceIDs: ['0'] }],
      },
    })

    docker.calls.length = 0
    gpus = [gpu(0, 2_000), gpu(1)]
    const second = fleet()
    await settle(second, ['targon-dev/small-a'])
    expect(second.running).toEqual(first.running)
    expect(docker.calls).toEqual([])
    expect(docker.containers.has(foreign.id) && docker.containers.has(other.id)).toBe(true)

    const url = first.running[0]?.urls[0] ?? ''
    const engine = connectEngine({
      model: 'targon-dev/small-a',
      urls: [url],
      hubUrl: url,
      cacheDir: folder,
      clock: systemClock,
      log: pino({ enabled: false }),
    })
    await engine.whenReady(signal())
    expect(engine.facts?.endpoints).toContain('chat')
    await engine.close()
  })

  it('replaces the engine of a model no longer requested and keeps the log of one that exited', async () => {
    sizesMib.set('org/a', 16_000).set('org/b', 16_000)
    docker.crash.add('org/b')
    const one = fleet()
    await settle(one, ['org/a'])
    await settle(one, ['org/b'], 'epoch')
    expect(running(one)).toEqual([])
    expect(one.explain('org/b')).toEqual({
      reason: expect.stringMatching(/exited with 1: torch\.cuda\.OutOfMemoryError/),
      next: expect.stringContaining('engine-logs'),
    })
    expect(docker.calls.filter((call) => call.startsWith('remove'))).toHaveLength(2)
    const logs = await readdir(join(folder, 'engine-logs'))
    const texts = await Promise.all(logs.map((name) => readFile(join(folder, 'engine-logs', name), 'utf8')))
    expect(texts.join('')).toContain('CUDA out of memory')
  })

  it('reports models that do not fit or have an unknown size with advice, and runs the others', async () => {
    sizesMib.set('org/huge', 200_000).set('org/small', 10_000)
    const one = fleet()
    await settle(one, ['org/huge', 'org/unknown', 'org/small'])
    expect(running(one)).toEqual(['org/small'])
    expect(one.explain('org/huge')).toEqual({
      reason: expect.stringContaining('200000 MiB × 1.2 = 240000 MiB; 2 of 2 GPUs'),
      next: expect.stringContaining('--engine.mode endpoints'),
    })
    expect(one.explain('org/unknown').reason).toContain('no safetensors metadata for org/unknown')
    const refusals = logged
      .map((line) => JSON.parse(line))
      .filter(({ event }) => event === 'model-without-engine')
    expect(refusals.map(({ model, next }) => [model, typeof next])).toEqual([
      ['org/huge', 'string'],
      ['org/unknown', 'string'],
    ])
    await settle(one, ['org/huge', 'org/unknown', 'org/small'], 'revival')
    expect(logged.filter((line) => line.includes('model-without-engine'))).toHaveLength(2)
  })

  it('uses each engine when it is healthy, while another one hangs', async () => {
    sizesMib.set('org/hung', 1_000).set('org/good', 1_000)
    docker.hang.add('org/hung')
    const changes: string[][] = []
    const one: Fleet = fleet({ onChange: () => changes.push(running(one)) })
    await one.reconcile(['org/hung', 'org/good'], 'start', signal())
    await expect.poll(() => changes).toEqual([['org/good']])
    await expect
      .poll(() => one.explain('org/hung').reason)
      .toBe('its engine is starting; its last log line: Loading safetensors checkpoint shards')
    await one.reconcile(['org/hung', 'org/good'], 'epoch', signal())
    expect(docker.calls.filter((call) => call.startsWith('remove'))).toEqual([])
  })

  it('gives an adopted engine that was healthy a minute to respond, and one that still loads the time of a start', async () => {
    sizesMib.set('org/was-healthy', 1_000).set('org/loading', 1_000)
    docker.hang.add('org/loading')
    const before = fleet()
    await before.reconcile(['org/was-healthy', 'org/loading'], 'start', signal())
    await expect.poll(() => running(before)).toEqual(['org/was-healthy'])
    await before.close()
    docker.silent.add('org/was-healthy')
    const adopting = fleet()
    await adopting.reconcile(['org/was-healthy', 'org/loading'], 'start', signal())
    await expect
      .poll(() => adopting.explain('org/was-healthy').reason)
      .toContain('was healthy, but has not responded for 60 s')
    expect(adopting.explain('org/loading').reason).toContain('is starting')
    await expect.poll(() => docker.calls.some((call) => call.startsWith('remove'))).toBe(true)
    docker.silent.clear()
    await adopting.reconcile(['org/was-healthy', 'org/loading'], 'revival', signal())
    await expect.poll(() => running(adopting)).toEqual(['org/was-healthy'])
  })

  it('starts an engine that died again, without pulling, and moves no other one for it', async () => {
    sizesMib.set('org/a', 1_000).set('org/b', 1_000).set('org/c', 1_000)
    const one = fleet({ shuffle: (models) => [...models].reverse() })
    await settle(one, ['org/a', 'org/b'])
    endContainer(containerOf('org/a'))
    gpus = [gpu(0, 2_000), gpu(1, 2_000)]
    docker.calls.length = 0
    // org/c would come first in the order of an epoch.
    await settle(one, ['org/a', 'org/b', 'org/c'], 'revival')
    expect(running(one)).toContain('org/b')
    expect(docker.calls.filter((call) => /^(pull|remove)/.test(call))).toHaveLength(1)
  })

  it('keeps using a running engine while the daemon is away', async () => {
    sizesMib.set('org/a', 1_000)
    const one = fleet()
    await settle(one, ['org/a'])
    docker.fails = true
    await expect(one.reconcile(['org/a', 'org/b'], 'epoch', signal())).rejects.toMatchObject({
      code: 'DOCKER',
    })
    expect(running(one)).toEqual(['org/a'])
    expect(one.explain('org/b').reason).toContain('Docker at')
    docker.fails = false
    await settle(one, ['org/a'], 'revival')
    expect(running(one)).toEqual(['org/a'])
  })

  it('keeps what runs when nvidia-smi fails, and names its error for the others', async () => {
    sizesMib.set('org/a', 1_000).set('org/b', 1_000)
    const one = fleet()
    await settle(one, ['org/a'])
    const broken = fleet({ readGpus: async () => Promise.reject(new Error('NVIDIA-SMI has failed')) })
    await settle(broken, ['org/a', 'org/b'])
    expect(running(broken)).toEqual(['org/a'])
    expect(broken.explain('org/b').reason).toBe('NVIDIA-SMI has failed')
  })

  it('leaves no container behind that did not start, and says what to install for GPUs', async () => {
    sizesMib.set('org/a', 1_000).set('org/b', 1_000)
    docker.startErrors.set('org/a', 'could not select device driver "" with capabilities: [[gpu]]')
    const one = fleet()
    await settle(one, ['org/a', 'org/b'])
    expect(running(one)).toEqual(['org/b'])
    expect(one.explain('org/a')).toEqual({
      reason: expect.stringContaining('could not select device driver'),
      next: expect.stringContaining('Install nvidia-container-toolkit'),
    })
    expect(docker.containers.size).toBe(1)
    expect(logged.some((line) => line.includes('engine-start-failed'))).toBe(true)
  })
})

describe('the image', () => {
  it('is pulled before engines of another image are replaced, on the GPUs that they hold', async () => {
    sizesMib.set('org/a', 1_000).set('org/b', 1_000)
    await settle(fleet(), ['org/a', 'org/b'])
    gpus = [gpu(0, 2_000), gpu(1, 2_000)]
    docker.calls.length = 0
    const updated = fleet({ image: 'vllm/vllm-openai:v2' })
    await settle(updated, ['org/a', 'org/b'])
    expect(running(updated).toSorted()).toEqual(['org/a', 'org/b'])
    expect(docker.calls.map((call) => call.split(' ')[0])).toEqual([
      ...['pull', 'remove', 'create', 'start', 'remove', 'create', 'start'],
    ])
  })

  it('replaces one engine after the other, and keeps the others when a new one does not become healthy', async () => {
    const wanted = ['org/a', 'org/b', 'org/c']
    for (const model of wanted) sizesMib.set(model, 1_000)
    gpus = [gpu(0), gpu(1), gpu(2)]
    await settle(fleet(), wanted)
    gpus = [gpu(0, 2_000), gpu(1, 2_000), gpu(2, 2_000)]
    docker.hang.add('org/b')
    const updated = fleet({ image: 'vllm/vllm-openai:v2', stallMs: 100_000 })
    const images = () => wanted.map((model) => containerOf(model).specification.Image.split(':')[1])
    await updated.reconcile(wanted, 'start', signal())
    await expect.poll(images).toEqual(['v2', 'v2', 'latest'])
    // Looked after meanwhile, as at an epoch, nothing else is replaced.
    await updated.reconcile(wanted, 'epoch', signal())
    expect(running(updated).toSorted()).toEqual(['org/a', 'org/c'])
    await updated.settled()
    expect(running(updated).toSorted()).toEqual(['org/a', 'org/c'])
    const stops = logged
      .map((line) => JSON.parse(line))
      .filter(({ event }) => event === 'engine-replacement-stopped')
    expect(stops).toMatchObject([
      { model: 'org/b', kept: ['org/c'], next: expect.stringContaining('image-tag') },
    ])
    expect(containerOf('org/c').specification.Image).toBe(IMAGE)

    docker.hang.clear()
    gpus = [gpu(0, 2_000), gpu(1), gpu(2, 2_000)]
    await settle(updated, wanted, 'revival')
    expect(images()).toEqual(['v2', 'v2', 'latest'])
    await settle(updated, wanted, 'epoch')
    expect(images()).toEqual(['v2', 'v2', 'v2'])
    expect(running(updated).toSorted()).toEqual(wanted)
  })

  it('keeps the running engines when another image cannot be pulled, and names the error for the others', async () => {
    sizesMib.set('org/a', 1_000).set('org/b', 1_000)
    const before = fleet()
    await settle(before, ['org/a'])
    docker.pullFails = true
    docker.calls.length = 0
    const updated = fleet({ image: 'vllm/vllm-openai:v2' })
    await settle(updated, ['org/a', 'org/b'])
    expect(updated.running).toEqual(before.running)
    expect(updated.explain('org/b').reason).toContain('registry unreachable')
    expect(docker.calls).toEqual(['pull vllm/vllm-openai:v2'])
    docker.pullFails = false
    await settle(updated, ['org/a', 'org/b'], 'revival')
    expect(running(updated).toSorted()).toEqual(['org/a', 'org/b'])
  })

  it('is pulled with the login of the registry', async () => {
    sizesMib.set('org/a', 1_000)
    const registryLogin = { username: 'ops', password: 'secret-1' }
    await settle(fleet({ registryLogin }), ['org/a'])
    expect(docker.login).toEqual(registryLogin)
    expect(logged.join('')).not.toContain('secret-1')
  })

  it('reports the progress of the image pull over download and extraction', async () => {
    sizesMib.set('targon-dev/small-a', 16_000)
    const pulled: (readonly [string, number | undefined])[] = []
    const onProgress: FleetOptions['onProgress'] = (task, status, percent) => {
      if (task === 'vllm/vllm-openai:latest') pulled.push([status, percent])
    }
    await settle(fleet({ onProgress }), ['targon-dev/small-a'])
    const percents = pulled.flatMap(([, percent]) => percent ?? [])
    expect(pulled[0]).toEqual(['Pulling from vllm/vllm-openai', undefined])
    expect(pulled.find(([, percent]) => percent !== undefined)).toEqual(['75 of 300 MB pulled', 12.5])
    expect(pulled).toContainEqual(['0 of 400 MB unpacked', 50])
    expect(percents.at(-1)).toBe(100)
    // A layer that becomes known later may lower the percentage; afterwards it only rises.
    const known = percents.slice(1)
    expect(known).toEqual([...known].sort((a, b) => a - b))
  })

  it('is the local one when the registry is down; an engine without progress is given up', async () => {
    sizesMib.set('org/a', 1_000)
    docker.hang.add('org/a')
    docker.pullFails = true
    docker.images.add('vllm/vllm-openai:latest')
    const statuses: string[] = []
    const one = fleet({
      onProgress: (_, status) => statuses.push(status),
      // Two seconds of real time, enough to read its log.
      stallMs: 100_000,
    })
    await settle(one, ['org/a'])
    expect(one.explain('org/a').reason).toContain('made no progress for 100 s')
    expect(statuses).toContain('Loading safetensors checkpoint shards')
  })
})
