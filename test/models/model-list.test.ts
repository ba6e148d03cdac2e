import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import fc from 'fast-check'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createModelList, type ModelListOptions } from '../../src/models/index.js'
import { parseModelList } from '../../src/models/model-endpoint.js'
import { defaultModelFile, readModelFile } from '../../src/models/model-file.js'
import { saveModelList } from '../../src/models/model-list.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const signal = new AbortController().signal
const closers: (() => void)[] = []
let stateDir: string

beforeEach(async () => {
  stateDir = temporaryFolder('models')
})
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/models`
}

function list(change: Partial<ModelListOptions>) {
  return createModelList({
    mode: 'endpoint',
    file: join(stateDir, 'models.txt'),
    endpoint: 'off',
    stateDir,
    log: pino({ enabled: false }),
    ...change,
  })
}

describe('mode default', () => {
  it('is the one model named in the README of 4.x', () => {
    expect(list({ mode: 'default' }).current()).toEqual(['NousResearch/Meta-Llama-3.1-8B-Instruct'])
  })
})

describe('mode config', () => {
  it('reads comments, blank lines, duplicates, a byte order mark and CRLF', async () => {
    await writeFile(
      join(stateDir, 'models.txt'),
      '\uFEFF# wanted\r\n\r\norg/a  # first\r\n org/b\torg/a\r\norg/c',
    )
    const models = list({ mode: 'config' })
    await models.refresh(signal)
    expect(models.current()).toEqual(['org/a', 'org/b', 'org/c'])
  })

  it('uses the bundled file when the working directory has none', async () => {
    expect(await readModelFile(defaultModelFile(stateDir))).toHaveLength(3)
    await writeFile(join(stateDir, 'models.txt'), 'org/own')
    expect(await readModelFile(defaultModelFile(stateDir))).toEqual(['org/own'])
    const models = list({ mode: 'config', file: undefined })
    await models.refresh(signal)
    expect(models.current()).toHaveLength(3)
  })

  it.each([
    ['an empty file', '# nothing\n\n'],
    ['a path traversal', 'org/../etc\n'],
    ['a control character', 'org/\u001b[31m\n'],
    ['a long name', `${'x'.repeat(300)}\n`],
  ])('rejects %s at the first refresh', async (_, text) => {
    await writeFile(join(stateDir, 'models.txt'), text)
    await expect(list({ mode: 'config' }).refresh(signal)).rejects.toMatchObject({
      code: 'MODELS_FILE',
      fault: 'usage',
    })
  })

  it('keeps the last good list when the file is damaged later', async () => {
    await writeFile(join(stateDir, 'models.txt'), 'org/a\n')
    const models = list({ mode: 'config' })
    await models.refresh(signal)
    await writeFile(join(stateDir, 'models.txt'), '')
    await models.refresh(signal)
    expect(models.current()).toEqual(['org/a'])
  })
})

describe('mode endpoint', () => {
  it.each([
    ['names', ['org/a', 'org/b']],
    ['objects', [{ model: 'org/a', context_length: null }, { model: 'org/b' }]],
    ['OpenAI’s list', { object: 'list', data: [{ id: 'org/a' }, { id: 'org/b', object: 'model' }] }],
    [
      'only the valid names of a hostile list',
      ['org/a', '__proto__/../x', 7, null, 'a b', 'org/b', 'org/a', { model: 5 }],
    ],
  ])('reads %s', async (_, body) => {
    const endpoint = await serve((_request, response) => response.end(JSON.stringify(body)))
    const models = list({ endpoint })
    await models.refresh(signal)
    expect(models.current()).toEqual(['org/a', 'org/b'])
  })

  it.each<[string, RequestListener]>([
    ['is garbage', (_, response) => response.end('<html>')],
    ['is empty', (_, response) => response.end('[]')],
    ['has status 500', (_, response) => response.writeHead(500).end()],
    ['redirects', (_, response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end()],
    ['is huge', (_, response) => response.end(`["org/a",${'"x",'.repeat(200_000)}"y"]`)],
  ])('keeps the last good list, also after a restart, when the response %s', async (_, broken) => {
    let answer: RequestListener = (_request, response) => response.end('["org/a"]')
    const endpoint = await serve((request, response) => answer(request, response))
    const models = list({ endpoint })
    await models.refresh(signal)
    answer = broken
    await models.refresh(signal)
    expect(models.current()).toEqual(['org/a'])
    const restarted = list({ endpoint })
    await restarted.refresh(signal)
    expect(restarted.current()).toEqual(['org/a'])
    expect(JSON.parse(await readFile(join(stateDir, 'models.json'), 'utf8'))).toEqual(['org/a'])
  })

  it('fails when there has never been a list', async () => {
    await expect(list({ endpoint: 'http://127.0.0.1:1/' }).refresh(signal)).rejects.toMatchObject({
      code: 'MODELS_ENDPOINT',
      fault: 'upstream',
    })
  })
})

describe('the saved list across restarts', () => {
  it('is the list that the endpoint gave, whatever that listed', async () => {
    const name = fc.stringMatching(/^[A-Za-z0-9][\w.-]{0,20}(\/[A-Za-z0-9][\w.-]{0,20})?$/)
    const entry = fc.oneof(
      name,
      name.map((model) => ({ model, context_length: null })),
      name.map((id) => ({ id, object: 'model' })),
      fc.jsonValue(),
    )
    const answer = fc.array(entry, { maxLength: 80 })
    await fc.assert(
      fc.asyncProperty(answer, fc.boolean(), async (listed, isWrapped) => {
        const names = parseModelList(isWrapped ? { data: listed } : listed)
        fc.pre(names.length > 0)
        await saveModelList(stateDir, names)
        const restarted = list({})
        await restarted.refresh(signal)
        expect(restarted.current()).toEqual(names)
      }),
    )
  })
})
