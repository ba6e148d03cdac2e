import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createEngineSet, type EngineSet, type EngineSetOptions } from '../../src/engine/index.js'
import { systemClock } from '../../src/kernel/clock.js'

const ENDPOINT = { model: 'org/m', urls: ['http://127.0.0.1:1'] }
let folder: string
let events: string[]
const sets: EngineSet[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'engine-set-'))
  events = []
})
afterEach(async () => {
  await Promise.all(sets.splice(0).map((set) => set.close()))
  await rm(folder, { recursive: true, force: true })
})

function create(change: Partial<EngineSetOptions> = {}) {
  const set = createEngineSet({
    mode: 'auto',
    endpoints: [],
    hubUrl: 'http://127.0.0.1:1',
    stateDir: folder,
    clock: systemClock,
    log: pino({}, { write: (line: string) => void events.push(JSON.parse(line).event) }),
    docker: {
      socketPath: join(folder, 'docker.sock'),
      image: 'vllm/vllm-openai:latest',
      cacheDir: folder,
      gpuMemoryUtilization: 0.9,
      owner: '5Owner',
      shuffle: (models) => models,
      searchPath: `/nowhere:${folder}`,
    },
    ...change,
  })
  sets.push(set)
  return set
}

const addFiles = (...names: string[]) => Promise.all(names.map((name) => writeFile(join(folder, name), '')))

describe('createEngineSet', () => {
  it('runs containers by default if there is a Docker socket, nvidia-smi and no endpoint', async () => {
    await addFiles('docker.sock', 'nvidia-smi')
    expect(create().mode).toBe('docker')
    expect(create({ endpoints: [ENDPOINT] }).mode).toBe('endpoints')
    expect(create({ mode: 'endpoints' }).mode).toBe('endpoints')
  })

  it.each(['docker.sock', 'nvidia-smi'])('uses endpoints by default if there is only %s', async (name) => {
    await addFiles(name)
    expect(create().mode).toBe('endpoints')
    expect(create({ mode: 'docker' }).mode).toBe('docker')
  })

  it('connects the endpoints at once and disconnects them when it is closed', async () => {
    const set = create({ endpoints: [ENDPOINT] })
    expect(set.current().map(({ model }) => model)).toEqual(['org/m'])
    await set.refresh(['org/other'], 'epoch', new AbortController().signal)
    expect(set.current()).toHaveLength(1)
    await set.close()
    expect(set.current()).toEqual([])
  })

  it('logs an error of the fleet and keeps running', async () => {
    const set = create({ mode: 'docker' })
    await set.refresh(['org/m'], 'start', new AbortController().signal)
    expect(events).toContain('fleet-refresh-failed')
    expect(set.current()).toEqual([])
  })

  it('rejects when the signal aborts', async () => {
    const reason = new Error('stop')
    await expect(create({ mode: 'docker' }).refresh([], 'start', AbortSignal.abort(reason))).rejects.toThrow(
      'stop',
    )
  })
})
