import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type ConnectedEngine, connectEngine } from '../../src/engine/index.js'
import { describeServer } from '../../src/engine/server-description.js'
import { systemClock } from '../../src/kernel/index.js'
import { type DevelopmentEngine, startDevelopmentEngine } from '../../src/localnet/engine/index.js'

const MODEL = 'targon-dev/small-a'
const signal = new AbortController().signal
const running: DevelopmentEngine[] = []
let folder: string
let engine: ConnectedEngine | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'server-view-'))
})
afterEach(async () => {
  await engine?.close()
  await Promise.all(running.splice(0).map((one) => one.close()))
  await rm(folder, { recursive: true, force: true })
})

async function connect(count: number, options: object = {}): Promise<ConnectedEngine> {
  for (let index = 0; index < count; index++)
    running.push(
      await startDevelopmentEngine({ port: 0, models: [MODEL], ...options }, { clock: systemClock }),
    )
  const urls = running.map(({ url }) => url)
  const log = pino({ enabled: false })
  engine = connectEngine({
    model: MODEL,
    urls,
    hubUrl: urls[0] ?? '',
    cacheDir: folder,
    clock: systemClock,
    log,
  })
  await engine.whenReady(signal)
  return engine
}

it('asks one server for an answer with token ids, as a miner is asked', async () => {
  const connected = await connect(1, { apiKey: undefined })
  const [server] = connected.servers?.() ?? []
  const answer = await server?.ask(
    {
      model: MODEL,
      endpoint: 'chat',
      messages: [{ role: 'user', content: 'Hi' }],
      temperature: 0,
      seed: 5,
      maxTokens: 12,
    },
    signal,
  )
  expect(answer?.fault).toBeUndefined()
  expect(answer?.tokens.every(({ tokenId, logprob }) => tokenId !== undefined && logprob !== undefined)).toBe(
    true,
  )
  expect(server?.isBusy).toBe(false)
  expect(await server?.describe(signal)).toMatchObject({
    dialect: 'v1',
    logprobs: 'raw',
    max_model_len: '8192',
  })
})

it('scores on the server it belongs to', async () => {
  const connected = await connect(2)
  for (let attempt = 0; attempt < 100 && connected.servers?.().length !== 2; attempt++)
    await systemClock.sleep(50)
  const servers = connected.servers?.() ?? []
  expect(servers.map(({ url }) => url)).toEqual(running.map(({ url }) => url))
  await running[1]?.close()
  await expect(
    servers[1]?.score({ input: [1], output: [2], temperature: 1, topK: 2 }, signal),
  ).rejects.toThrow()
  const reference = await servers[0]?.score({ input: [1], output: [2], temperature: 1, topK: 2 }, signal)
  expect(reference?.positions).toHaveLength(1)
})

it('reads the options that numbers depend on from metrics and server info', async () => {
  const facts = { dialect: 'v1', scaledLogprobs: false, maxModelLength: 4096 } as never
  const metrics =
    '# HELP x\nvllm:cache_config_info{block_size="16",cache_dtype="fp8",num_gpu_blocks="4711",enable_prefix_caching="True"} 1.0\n'
  const info = {
    vllm_config: "model='m', dtype=torch.bfloat16, quantization=None, kv_cache_dtype=fp8, seed=0",
  }
  const server = { getText: async () => metrics, getJson: async () => info }
  expect(await describeServer(server, { version: '0.32.0', facts }, signal)).toEqual({
    version: '0.32.0',
    dialect: 'v1',
    logprobs: 'raw',
    max_model_len: '4096',
    block_size: '16',
    cache_dtype: 'fp8',
    enable_prefix_caching: 'True',
    dtype: 'bfloat16',
    quantization: 'None',
    kv_cache_dtype: 'fp8',
  })
  const silent = {
    getText: () => Promise.reject(new Error('404')),
    getJson: () => Promise.reject(new Error('404')),
  }
  expect(await describeServer(silent, { version: 'unknown', facts }, signal)).toMatchObject({
    version: 'unknown',
  })
})
