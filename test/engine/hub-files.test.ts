import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readHubApi, readHubFile } from '../../src/engine/hub-files.js'
import { type StreamServer, startStreamServer } from '../support/stream-server.js'

const signal = new AbortController().signal
let cacheDir: string
let hub: StreamServer
let files: Record<string, string>

beforeEach(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), 'hub-files-'))
  files = { '/org/m/resolve/main/config.json': '{"a":1}' }
  hub = await startStreamServer((response, { path }) => {
    const text = files[path]
    if (text === undefined) return response.writeHead(404).end()
    response.end(text)
  })
})
afterEach(async () => {
  await hub.close()
  await rm(cacheDir, { recursive: true, force: true })
})

const source = (change: Record<string, string> = {}) => ({ hubUrl: hub.url, cacheDir, ...change })
const read = (change?: Record<string, string>, file = 'config.json') =>
  readHubFile(source(change), 'org/m', file, signal)

describe('readHubFile', () => {
  it('downloads a file once and then reads the cache', async () => {
    expect(await read({ hubToken: 'hf_x' })).toEqual({ a: 1 })
    expect(await read()).toEqual({ a: 1 })
    expect(hub.received.map(({ headers }) => headers.authorization)).toEqual(['Bearer hf_x'])
  })

  it('returns undefined for a file the repository does not have', async () => {
    expect(await read({}, 'generation_config.json')).toBeUndefined()
  })

  it('reads only the model folder if there is one', async () => {
    const modelDir = join(cacheDir, 'models')
    await mkdir(join(modelDir, 'org/m'), { recursive: true })
    await writeFile(join(modelDir, 'org/m/config.json'), '{"a":2}')
    expect(await read({ modelDir })).toEqual({ a: 2 })
    expect(await read({ modelDir }, 'generation_config.json')).toBeUndefined()
    expect(hub.received).toEqual([])
  })

  it('downloads a file even if the cache cannot be written', async () => {
    const blocked = join(cacheDir, 'file')
    await writeFile(blocked, '')
    expect(await read({ cacheDir: blocked })).toEqual({ a: 1 })
  })

  it.each([401, 403])('names the token when the hub answers %i', async (status) => {
    await hub.close()
    hub = await startStreamServer((response) => response.writeHead(status).end())
    await expect(read()).rejects.toMatchObject({ next: expect.stringContaining('TARGON_ENGINE_HUB_TOKEN') })
  })

  it('does not parse a file that is nested too deeply', async () => {
    files['/org/m/resolve/main/config.json'] = '['.repeat(65) + ']'.repeat(65)
    await expect(read()).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' })
  })

  it('rejects a file that is not JSON', async () => {
    files['/org/m/resolve/main/config.json'] = '<html>'
    await expect(read()).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: 'config.json of org/m is not JSON.',
    })
  })
})

describe('readHubApi', () => {
  it('reads the record of a model each time', async () => {
    files['/api/models/org/m'] = '{"id":"org/m"}'
    const records = [await readHubApi(source(), 'org/m', signal), await readHubApi(source(), 'org/m', signal)]
    expect(records).toEqual([{ id: 'org/m' }, { id: 'org/m' }])
    expect(hub.received).toHaveLength(2)
  })
})

it('a cached file is what the hub sent, whatever the JSON and its layout', async () => {
  await fc.assert(
    fc.asyncProperty(fc.json(), fc.constantFrom(0, 2), async (text, indent) => {
      await rm(join(cacheDir, 'hub'), { recursive: true, force: true })
      files['/org/m/resolve/main/config.json'] = JSON.stringify(JSON.parse(text), null, indent)
      const sent = await read()
      expect(sent).toEqual(JSON.parse(text))
      const received = hub.received.length
      expect(await read()).toEqual(sent)
      expect(hub.received.length).toBe(received)
    }),
    { numRuns: 50 },
  )
})
