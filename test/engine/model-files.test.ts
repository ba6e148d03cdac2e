import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readModelFiles } from '../../src/engine/model-files.js'

const MODEL = 'org/m'
const signal = new AbortController().signal

let modelDir: string

beforeEach(async () => {
  modelDir = await mkdtemp(join(tmpdir(), 'model-files-'))
  await mkdir(join(modelDir, MODEL), { recursive: true })
})
afterEach(() => rm(modelDir, { recursive: true, force: true }))

async function read(files: Record<string, unknown>) {
  for (const [name, content] of Object.entries(files))
    await writeFile(join(modelDir, MODEL, name), JSON.stringify(content))
  return await readModelFiles({ hubUrl: 'http://127.0.0.1:1', modelDir, cacheDir: modelDir }, MODEL, signal)
}

describe('readModelFiles', () => {
  it('reads end tokens and sampling defaults from generation_config.json', async () => {
    const generation = {
      eos_token_id: [7, 8],
      top_p: 0.8,
      top_k: 20,
      min_p: 0.05,
      temperature: 0.7,
      do_sample: true,
    }
    expect(await read({ 'config.json': { vocab_size: 100 }, 'generation_config.json': generation })).toEqual({
      vocabularySize: 100,
      eosTokenIds: [7, 8],
      samplingDefaults: { topP: 0.8, topK: 20, minP: 0.05 },
    })
  })

  it.each([{}, { top_p: 1.5, top_k: -1 }, { top_p: 0, top_k: 0 }, { top_p: 'x', top_k: null }])(
    'ignores the invalid sampling defaults %j and still reads the end tokens',
    async (odd) => {
      const files = {
        'config.json': { vocab_size: 100 },
        'generation_config.json': { eos_token_id: 7, ...odd },
      }
      expect(await read(files)).toMatchObject({ eosTokenIds: [7], samplingDefaults: {} })
    },
  )

  it('reads the end token and the special tokens of tokenizer_config.json', async () => {
    const common = { 'config.json': { vocab_size: 100, eos_token_id: 3 } }
    const added_tokens_decoder = {
      7: { content: '<|im_end|>', special: true },
      8: { content: '<tool_call>', special: false },
      9: { content: '<pad>', special: true },
    }
    const tokenizer = { eos_token: '<|im_end|>', added_tokens_decoder }
    const expected = { eosToken: '<|im_end|>', tokenizerEosId: 7, specialTokenIds: new Set([7, 9]) }
    expect(await read({ ...common, 'tokenizer_config.json': tokenizer })).toMatchObject(expected)
    const written = { ...tokenizer, eos_token: { content: '<|im_end|>' } }
    expect(await read({ ...common, 'tokenizer_config.json': written })).toMatchObject(expected)
    const bare = { eos_token: '</s>', added_tokens_decoder: null }
    expect(await read({ ...common, 'tokenizer_config.json': bare })).toMatchObject({
      ...{ eosToken: '</s>', tokenizerEosId: undefined, specialTokenIds: undefined },
    })
  })

  it('falls back to config.json when generation_config.json is missing', async () => {
    const config = { text_config: { vocab_size: 50, eos_token_id: 3 } }
    expect(await read({ 'config.json': config })).toEqual({
      vocabularySize: 50,
      eosTokenIds: [3],
      samplingDefaults: {},
    })
  })

  it('does without a tokenizer_config.json that cannot be read', async () => {
    await writeFile(join(modelDir, MODEL, 'tokenizer_config.json'), 'not JSON')
    expect(await read({ 'config.json': { vocab_size: 50, eos_token_id: 3 } })).toMatchObject({
      eosTokenIds: [3],
      specialTokenIds: undefined,
    })
  })

  it('names the URL of an unreachable hub and points to --engine.hub-url', async () => {
    const source = { hubUrl: 'http://127.0.0.1:1', cacheDir: modelDir }
    await expect(readModelFiles(source, MODEL, signal)).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: expect.stringMatching(
        /^http:\/\/127\.0\.0\.1:1\/org\/m\/resolve\/main\/\S+ could not be read: .*ECONNREFUSED.*\.$/,
      ),
      next: expect.stringContaining('--engine.hub-url'),
    })
  })
})
