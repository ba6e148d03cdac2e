import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connectEngine, DockerClient, Fleet, type FleetOptions, type Gpu } from '../../../src/engine/index.js'
import { type Clock, systemClock } from '../../../src/kernel/clock.js'
import { type FakeDocker, startFakeDocker } from '../../support/fake-docker.js'
import { type StreamServer, startStreamServer } from '../../support/stream-server.js'

const OWNER = '5Owner'
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
const sizesMib = new Map<string, number>()

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fleet-'))
  docker = await startFakeDocker(join(folder, 'docker.sock'))
  sizesMib.clear()
  gpus = [gpu(0), gpu(1)]
  hub = await startStreamServer((response, { path }) => {
    const size = sizesMib.get(path.replace('/api/models/', ''))
    if (size === undefined) return response.writeHead(404).end('{}')
    response.end(JSON.stringify({ safetensors: { parameters: { BF16: (size * MIB) / 2 } } }))
  })
})
afterEach(async () => {
  await docker.close()
  await hub.close()
  await rm(folder, { recursive: true, force: true })
})

function fleet(change: Partial<FleetOptions> = {}) {
  return new Fleet({
    docker: new DockerClient(join(folder, 'docker.sock')),
    owner: OWNER,
    image: 'vllm/vllm-openai:latest',
    cacheDir: '/var/targon/hub',
    gpuMemoryUtilization: 0.9,
    hubUrl: hub.url,
    stateDir: folder,
    readGpus: async () => gpus,
    shuffle: (models) => models,
    clock: quickClock,
    log: pino({ enabled: false }),
    ...change,
  })
}

const signal = () => AbortSignal.timeout(55_000)

describe('Fleet', () => {
  it('starts a working engine, adopts it after a restart and leaves containers of other owners alone', async () => {
    sizesMib.set('targon-dev/small-a', 16_000)
    const foreign = docker.addForeign('postgres', { model: 'targon-dev/small-a' })
    const other = docker.addForeign('targon-else', { 'io.targon.owner': '5Else', 'io.targon.model': 'x/y' })
    const first = await fleet().reconcile(['targon-dev/small-a'], signal())
    expect(first).toMatchObject({ running: [{ model: 'targon-dev/small-a' }], unplaced: [] })
    const started = [...docker.containers.values()].find(({ process }) => process)
    expect(started?.specification).toMatchObject({
      Image: 'vllm/vllm-openai:latest',
      HostConfig: {
        PortBindings: { '8000/tcp': [{ HostIp: '127.0.0.1' }] },
        DeviceRequests: [{ DeviceIDs: ['0'] }],
      },
    })

    docker.calls.length = 0
    gpus = [gpu(0, 2_000), gpu(1)]
    const second = await fleet().reconcile(['targon-dev/small-a'], signal())
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
    await fleet().reconcile(['org/a'], signal())
    const state = await fleet().reconcile(['org/b'], signal())
    expect(state.running).toEqual([])
    expect(state.unplaced).toEqual([
      { model: 'org/b', reason: expect.stringMatching(/exited with 1: torch\.cuda\.OutOfMemoryError/) },
    ])
    expect(docker.calls.filter((call) => call.startsWith('remove'))).toHaveLength(2)
    const logs = await readdir(join(folder, 'engine-logs'))
    const texts = await Promise.all(logs.map((name) => readFile(join(folder, 'engine-logs', name), 'utf8')))
    expect(texts.join('')).toContain('CUDA out of memory')
  })

  it('reports models that do not fit or have an unknown size, and runs the others', async () => {
    sizesMib.set('org/huge', 200_000).set('org/small', 10_000)
    const state = await fleet().reconcile(['org/huge', 'org/unknown', 'org/small'], signal())
    expect(state.running.map(({ model }) => model)).toEqual(['org/small'])
    expect(state.unplaced).toEqual([
      { model: 'org/huge', reason: expect.stringContaining('200000 MiB × 1.2 = 240000 MiB; 2 of 2 GPUs') },
      { model: 'org/unknown', reason: expect.stringContaining('no safetensors metadata for org/unknown') },
    ])
  })

  it('reports the progress of the image pull over download and extraction', async () => {
    sizesMib.set('targon-dev/small-a', 16_000)
    const pulled: (readonly [string, number | undefined])[] = []
    const onProgress: FleetOptions['onProgress'] = (task, status, percent) => {
      if (task === 'vllm/vllm-openai:latest') pulled.push([status, percent])
    }
    await fleet({ onProgress }).reconcile(['targon-dev/small-a'], signal())
    const percents = pulled.flatMap(([, percent]) => percent ?? [])
    expect(pulled[0]).toEqual(['Pulling from vllm/vllm-openai', undefined])
    expect(pulled.find(([, percent]) => percent !== undefined)).toEqual(['75 of 300 MB pulled', 12.5])
    expect(pulled).toContainEqual(['0 of 400 MB unpacked', 50])
    expect(percents.at(-1)).toBe(100)
    // A layer that becomes known later may lower the percentage; afterwards it only rises.
    const known = percents.slice(1)
    expect(known).toEqual([...known].sort((a, b) => a - b))
  })

  it('gives up on an engine without progress, and uses the local image when the registry is down', async () => {
    sizesMib.set('org/a', 1_000)
    docker.hang.add('org/a')
    docker.pullFails = true
    docker.images.add('vllm/vllm-openai:latest')
    const statuses: string[] = []
    const state = await fleet({
      onProgress: (_, status) => statuses.push(status),
      // Two seconds of real time, enough to read its log.
      stallMs: 100_000,
    }).reconcile(['org/a'], signal())
    expect(state.unplaced).toEqual([
      { model: 'org/a', reason: expect.stringContaining('made no progress for 100 s') },
    ])
    expect(statuses).toContain('Loading safetensors checkpoint shards')
  })
})
